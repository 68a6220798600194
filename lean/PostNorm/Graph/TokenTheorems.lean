import PostNorm.Graph.LayerTheorems

/-! # `token_theorems`: a layer's theorems in its first input alone

```
token_theorems gpt2Block (… ε₁ ε₂ : R) where
  is "GPT-2's block"
  layer …
  graph …
  first ⟦seqLen, dModel⟧
  others …
  given hEps1Pos : 0 < ε₁
  smooth …
```
states and proves `…_hasFDerivAt_tokens`: with its other inputs held fixed, the layer is differentiable in the first
one; and `…_adjoint_tokens`: the adjoint of that derivative is the first component of backprop, without side conditions.

## Main definitions

* `token_theorems`: the command. -/

namespace PostNorm
open Lean

/-- The conditions for the derivative in the first input. -/
syntax tokenGiven := withPosition(&"given " ident " : " term)

/-- The theorems of a layer in its first input alone; see the head of this file. -/
syntax (name := tokenTheorems) "token_theorems " ident bracketedBinder* " where"
  ppLine withPosition(&"is " str) ppLine withPosition(&"layer " term) ppLine withPosition(&"graph " term)
  ppLine withPosition(&"first " term) ppLine withPosition(&"others " term)
  (ppLine tokenGiven)* ppLine withPosition(&"smooth " term) : command

open LayerTheorems in
macro_rules
  | `(token_theorems $name:ident $params:bracketedBinder* where
        is $what:str
        layer $layer
        graph $graph
        first $s
        others $Γ
        $givens:tokenGiven*
        smooth $smooth) => do
    let (R, x, v, weights, δ) := (mkIdent `R, mkIdent `x, mkIdent `v, mkIdent `weights, mkIdent `δ)
    let named (suffix : String) := mkIdentFrom name (name.getId.appendAfter suffix)
    let given ← givens.mapM fun
      | `(tokenGiven| given $h : $p) => return (h, p)
      | _ => Macro.throwUnsupported
    let hypotheses ← given.mapM fun (h, p) => `(bracketedBinder| ($h : $p))
    let asked := listed (given.toList.map fun (_, p) => s!"`{written p}`")
    let field := #[← `(bracketedBinder| {$R : Type $(mkIdent `u):ident}), ← `(bracketedBinder| [RealField $R])]
    let point := #[← `(bracketedBinder| ($x : Tensor $R $s)), ← `(bracketedBinder| ($weights : Env $R $Γ))]
    let directions := #[← `(bracketedBinder| ($v : Tensor $R $s)), ← `(bracketedBinder| ($δ : Tensor $R _))]
    let derivative ← audited s!"If {asked}, then with its other inputs held fixed {what.getString} is Fréchet \
        differentiable in the tokens alone, everywhere."
      (named "_hasFDerivAt_tokens") (field ++ params ++ point ++ hypotheses)
      (← `(HasFDerivAt (fun $x : Tensor $R $s => ($graph).eval (Env.cons $x $weights))
        (($graph).derivHead $x $weights) $x))
      (← `(Graph.hasFDerivAt_head _ $x $weights (Layer.correct $layer $smooth)))
    let adjoint ← audited s!"With its other inputs held fixed, the first component of backprop through \
        {what.getString} is the adjoint of its derivative in the tokens alone, everywhere."
      (named "_adjoint_tokens") (field ++ params ++ point ++ directions)
      (← `(Tensor.dot (($graph).derivHead $x $weights $v) $δ =
        Tensor.dot $v (($graph).backprop (Env.cons $x $weights) $δ).head))
      (← `(Graph.adjoint_head ($graph) $x $weights $v $δ))
    return mkNullNode #[derivative.raw, adjoint.raw]

end PostNorm
