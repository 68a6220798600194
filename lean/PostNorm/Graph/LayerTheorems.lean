import Obligations.Attribute
import PostNorm.Graph.Layer
import PostNorm.Real.Model

/-! # `layer_theorems`: the theorems of a layer, from its record

```
layer_theorems rmsNorm (ε : R) ρ where
  is "RMSNorm"
  smooth "every row has `mean square + ε` positive"
  layer rmsNormLayer ε
  graph rmsNormGraph ε
  formula Tensor.ofMat (Spec.rmsNorm ε …)
  inputs ΓRmsNorm seqLen dModel
  condition hMeanSquareEpsPos : ∀ i, 0 < Spec.meanSquare (…) + ε if hEpsPos : 0 < ε then fun i => …
  proof hMeanSquareEpsPos
```
states and proves, about the given formula:

* `rmsNorm_eval`: the graph computes it, at every input;
* `rmsNorm_hasFDerivAt`, `rmsNorm_backprop_eq_adjoint_fderiv`: forward mode is its derivative and backpropagation the
  adjoint of that, under the conditions;
* a lemma for each condition that follows from a number being positive, which discharges it;
* `…_of_pos`: both theorems from these numbers being positive and the remaining conditions;
* `…_real`: the same at the real numbers.

If no condition has an `if`, the `…_of_pos` would be redundant and are omitted.  A condition without `if` has a text
after its name, which states it in English: `condition hNe0 "no entry is zero" : …`.

## Main definitions

* `layer_theorems`: the command. -/

namespace PostNorm
open Lean

/-- A side condition of a layer. -/
syntax layerCondition := withPosition(&"condition " ident (str)? " : " term (" if " ident " : " term " then " term)?)

/-- The theorems of a layer, from its record; see the head of this file. -/
syntax (name := layerTheorems) "layer_theorems " ident bracketedBinder* ppSpace ident " where"
  ppLine withPosition(&"is " str) (ppLine withPosition(&"smooth " str))?
  ppLine withPosition(&"layer " term) ppLine withPosition(&"graph " term) ppLine withPosition(&"formula " term)
  ppLine withPosition(&"inputs " term) (ppLine layerCondition)*
  (ppLine withPosition(&"proof " term))? : command

namespace LayerTheorems

/-- A side condition as it was parsed. -/
structure Condition where
  /-- Its name among the hypotheses. -/
  name : Ident
  /-- Its statement. -/
  type : Term
  /-- The hypothesis that it follows from, that hypothesis's statement, and the proof. -/
  reason : Option (Ident × Term × Term) := none
  /-- Its English text, if it remains for the user of the theorem. -/
  english : Option String := none

/-- Read a condition. -/
def Condition.parse : TSyntax ``layerCondition → MacroM Condition
  | `(layerCondition| condition $h $[$text]? : $p if $h' : $q then $why) =>
    return { name := h, type := p, reason := some (h', q, why), english := text.map (·.getString) }
  | `(layerCondition| condition $h $[$text]? : $p) =>
    return { name := h, type := p, english := text.map (·.getString) }
  | _ => Macro.throwUnsupported

/-- The field `R` replaced by the real numbers. -/
partial def atReal (s : Syntax) : Syntax :=
  match s with
  | .ident info _ `R _ => mkIdentFrom (.atom info "R") `Real
  | .node i k as => .node i k (as.map atReal)
  | s => s

/-- A docstring. -/
def doc (text : String) : TSyntax `Lean.Parser.Command.docComment :=
  ⟨mkNode `Lean.Parser.Command.docComment #[mkAtom "/--", mkAtom s!" {text} -/"]⟩

/-- Binders. -/
abbrev Binders := Array (TSyntax `Lean.Parser.Term.bracketedBinder)

/-- `a`, `a and b`, `a, b and c`. -/
def listed : List String → String
  | [] => ""
  | [a] => a
  | [a, b] => s!"{a} and {b}"
  | a :: rest => s!"{a}, {listed rest}"

/-- An audited theorem. -/
def audited (text : String) (name : Ident) (binders : Binders) (statement proof : Term) :
    MacroM (TSyntax `command) := do
  let docstring := doc text
  `(command| $docstring:docComment @[obligation] theorem $name:ident $binders:bracketedBinder* : $statement := $proof)

/-- A term as written. -/
def written (t : Term) : String := (t.raw.reprint.getD "").trimAscii.toString

/-- The parts of a layer's theorems. -/
structure Parts where
  /-- The prefix of their names. -/
  name : Ident
  /-- The layer in English. -/
  what : String
  /-- Its record. -/
  layer : Term
  /-- Its inputs' binders: the field, the parameters, the point. -/
  (field params point seed : Binders)
  /-- The four statements, and the cotangent in the last one. -/
  (value derivative adjoint : Term)
  /-- The point and the cotangent. -/
  (ρ δ : Ident)

/-- The parts of a layer with these inputs and this formula. -/
def Parts.make (name : Ident) (what : String) (layer : Term) (params : Binders) (ρ : Ident) (graph formula Γ : Term) :
    MacroM Parts := do
  let (R, δ) := (mkIdent `R, mkIdent `δ)
  return {
    name, layer, params, ρ, δ, what
    field := #[← `(bracketedBinder| {$R : Type $(mkIdent `u):ident}), ← `(bracketedBinder| [RealField $R])]
    point := #[← `(bracketedBinder| ($ρ : Env $R $Γ))]
    seed := #[← `(bracketedBinder| ($δ : Tensor $R _))]
    value := ← `(($graph).eval $ρ = $formula)
    derivative := ← `(HasFDerivAt (fun $ρ : Env $R $Γ => $formula) (($graph).deriv $ρ) $ρ)
    adjoint := ← `(($graph).backprop $ρ $δ = (fderiv (fun $ρ : Env $R $Γ => $formula) $ρ).adjoint $δ) }

/-- The two theorems about derivatives, under these hypotheses. -/
def Parts.pair (p : Parts) (suffix before after : String) (field hypotheses : Binders) (smooth : Term) :
    MacroM (Array (TSyntax `command)) := do
  let named (s : String) := mkIdentFrom p.name (p.name.getId.appendAfter s!"_{s}{suffix}")
  let (f, b) := if before = "" then ("F", "B") else ("f", "b")
  return #[
    ← audited s!"{before}{f}orward mode computes the Fréchet derivative of {p.what}, in all its inputs together, \
        {after}."
      (named "hasFDerivAt") (field ++ p.params ++ p.point ++ hypotheses) p.derivative
      (← `(Layer.hasFDerivAt (ρ := $(p.ρ)) $(p.layer) $smooth)),
    ← audited s!"{before}{b}ackpropagation through {p.what} is the adjoint of the Fréchet derivative of its formula, \
        for every seed `δ`, {after}."
      (named "backprop_eq_adjoint_fderiv") (field ++ p.params ++ p.point ++ p.seed ++ hypotheses) p.adjoint
      (← `(Layer.backprop_eq_adjoint_fderiv (ρ := $(p.ρ)) $(p.layer) $smooth $(p.δ)))]

/-- All theorems of a layer. -/
def Parts.commands (p : Parts) (conditions : Array Condition) (smooth : Option String) (proof : Term) :
    MacroM (Array (TSyntax `command)) := do
  let hypothesis (h : Ident) (t : Term) : MacroM (TSyntax `Lean.Parser.Term.bracketedBinder) :=
    `(bracketedBinder| ($h : $t))
  let named (s : String) := mkIdentFrom p.name (p.name.getId.appendAfter s)
  let mut reasons : Array (Ident × Term) := #[]
  for c in conditions do
    if let some (h, q, _) := c.reason then
      unless reasons.any (·.1.getId == h.getId) do reasons := reasons.push (h, q)
  let left := conditions.filter (·.reason.isNone)
  let weaker := (← reasons.mapM fun (h, q) => hypothesis h q) ++ (← left.mapM fun c => hypothesis c.name c.type)
  let mut discharged := proof
  for c in conditions.reverse do
    let given ← match c.reason with
      | none => pure (c.name : Term)
      | some (_, _, why) => `((show $(c.type) from $why))
    discharged ← `((fun $(c.name) : $(c.type) => $discharged) $given)
  let everywhere := match smooth with
    | some text => s!"at every input where {text}"
    | none => "at every input"
  let numbers := listed (reasons.toList.map fun (_, q) => s!"`{written q}`")
  let remaining := match listed (left.toList.filterMap (·.english)) with
    | "" => "at every input"
    | text => s!"at every input where {text}"
  let mut all := #[← audited s!"The graph of {p.what} computes its formula, at every input." (named "_eval")
    (p.field ++ p.params ++ p.point) p.value (← `(Layer.eval_eq $(p.layer) $(p.ρ)))]
  all := all ++ (← p.pair "" "" everywhere p.field (← conditions.mapM fun c => hypothesis c.name c.type) proof)
  for c in conditions do
    if let some (h, q, why) := c.reason then
      let docstring := doc s!"What {p.what} asks for under the name `{c.name.getId}` follows from `{written q}`."
      let binders := p.field ++ p.params ++ p.point ++ #[← hypothesis h q]
      all := all.push (← `(command| $docstring:docComment
        @[discharges $(named "_hasFDerivAt") $(c.name), $(named "_backprop_eq_adjoint_fderiv") $(c.name)]
        theorem $(named s!"_{c.name.getId}_of_pos"):ident $binders:bracketedBinder* : $(c.type) := $why))
  unless reasons.isEmpty do
    all := all ++ (← p.pair "_of_pos" s!"If {numbers}, then " remaining p.field weaker discharged)
  let ending := if numbers = "" then remaining else s!"{remaining}, if {numbers}"
  let real ← p.pair "_real" "Over the real numbers, " ending #[] weaker discharged
  return all ++ real.map fun c => ⟨atReal c⟩

end LayerTheorems

open LayerTheorems in
macro_rules
  | `(layer_theorems $name:ident $params:bracketedBinder* $ρ:ident where
        is $what:str
        $[smooth $smooth:str]?
        layer $layer
        graph $graph
        formula $formula
        inputs $Γ
        $conditions:layerCondition*
        $[proof $proof]?) => do
    let proof ← match proof with
      | some p => pure p
      | none => `(True.intro)
    let parts ← Parts.make name what.getString layer params ρ graph formula Γ
    let commands ← parts.commands (← conditions.mapM Condition.parse) (smooth.map (·.getString)) proof
    return mkNullNode (commands.map (·.raw))

end PostNorm
