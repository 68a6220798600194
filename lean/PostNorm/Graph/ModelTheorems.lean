import PostNorm.Graph.Between
import PostNorm.Graph.LayerTheorems

/-! # `model_theorems`: the theorems of a model whose result is a number, such as a loss

```
model_theorems gpt2Model (… ε₁ ε₂ ε₃ : R) (depth : Nat) ρ where
  is "GPT-2's loss"
  layer …
  graph …
  formula …
  inputs …
  positive hEps1Pos : 0 < ε₁
  smooth fun … => …
```
states and proves, as `layer_theorems` does, `…_eval`, `…_hasFDerivAt_of_pos`, `…_backprop_eq_adjoint_fderiv_of_pos`,
and both as `…_real`; and `…_gradient_of_pos`, `…_gradient_real`: backprop from `1` returns the gradient.

## Main definitions

* `model_theorems`: the command.

## Main statements

* `Layer.fderiv_eq_dot_backprop`: **the gradient of a scalar**, such as a loss, is what backprop returns from `1`. -/

namespace PostNorm
universe u
open Lean

/-- The gradient of a scalar, such as a loss, is what backprop returns from `1`: its derivative along any `v` is the
inner product of `v` with that, wherever the layer is smooth. -/
theorem Layer.fderiv_eq_dot_backprop {R : Type u} [RealField R] {Γ : Context} (l : Layer R Γ ⟦⟧) {ρ : Env R Γ}
    (hSmooth : l.Smooth ρ) (v : Env R Γ) :
    fderiv (fun ρ : Env R Γ => l.formula ρ) ρ v () = Env.dot v (l.graph.backprop ρ fun _ => 1) := by
  have h := l.hasFDerivAt hSmooth
  have e := l.gradient hSmooth h v
  rw [← h.fderiv] at e
  exact e

/-- A number that has to be positive. -/
syntax modelPositive := withPosition(&"positive " ident " : " term)

/-- The theorems of a model; see the head of this file. -/
syntax (name := modelTheorems) "model_theorems " ident bracketedBinder* ppSpace ident " where"
  ppLine withPosition(&"is " str) ppLine withPosition(&"layer " term) ppLine withPosition(&"graph " term)
  ppLine withPosition(&"formula " term) ppLine withPosition(&"inputs " term) (ppLine modelPositive)*
  ppLine withPosition(&"smooth " term) : command

open LayerTheorems in
macro_rules
  | `(model_theorems $name:ident $params:bracketedBinder* $ρ:ident where
        is $what:str
        layer $layer
        graph $graph
        formula $formula
        inputs $Γ
        $positives:modelPositive*
        smooth $smooth) => do
    let (R, v) := (mkIdent `R, mkIdent `v)
    let parts ← Parts.make name what.getString layer params ρ graph formula Γ
    let given ← positives.mapM fun
      | `(modelPositive| positive $h : $p) => return (h, p)
      | _ => Macro.throwUnsupported
    let hypotheses ← given.mapM fun (h, p) => `(bracketedBinder| ($h : $p))
    let numbers := listed (given.toList.map fun (_, p) => s!"`{written p}`")
    let gradient ← `(fderiv (fun $ρ : Env $R $Γ => $formula) $ρ $v () =
      Env.dot $v (($graph).backprop $ρ fun _ => 1))
    let proof ← `(Layer.fderiv_eq_dot_backprop (ρ := $ρ) $layer $smooth $v)
    let all (suffix before after : String) (field : Binders) : MacroM (Array (TSyntax `command)) := do
      let direction ← `(bracketedBinder| ($v : Env $R $Γ))
      return (← parts.pair suffix before after field hypotheses smooth).push (← audited
        s!"{before}the gradient of {parts.what} is what backpropagation returns from `1`, {after}: along any `v`, the \
          derivative is the inner product of `v` with it."
        (mkIdentFrom name (name.getId.appendAfter s!"_gradient{suffix}"))
        (field ++ params ++ parts.point ++ #[direction] ++ hypotheses) gradient proof)
    let value ← audited s!"The graph of {parts.what} computes its formula, at every input and any depth."
      (mkIdentFrom name (name.getId.appendAfter "_eval")) (parts.field ++ params ++ parts.point) parts.value
      (← `(Layer.eval_eq $layer $ρ))
    let generic ← all "_of_pos" s!"If {numbers}, then " "at every input and any depth" parts.field
    let real ← all "_real" "Over the real numbers, " s!"at every input and any depth, if {numbers}" #[]
    return mkNullNode (#[value.raw] ++ generic.map (·.raw) ++ real.map fun c => atReal c)

end PostNorm
