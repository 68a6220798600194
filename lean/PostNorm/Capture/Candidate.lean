import PostNorm.Capture.Quote
import PostNorm.Graph.Inputs

/-! # A block of the library that a captured graph may be

A theorem `X_eval` of the library says that a graph computes a formula.  Here it is instantiated at given sizes, with
its constants as variables.

## Main definitions

* `Candidate`: which theorem at which sizes; `Block`, `withBlock`: its graph and its formula. -/

namespace PostNorm.Capture
open Lean Meta

/-- The level of all types here. -/
private def u : Level := .param `u

/-- A theorem of the library that a graph computes a formula, and the sizes at which it is instantiated. -/
structure Candidate where
  /-- The theorem's name. -/
  theorem_ : Name
  /-- Its sizes. -/
  sizes : List (String × Nat)
  deriving Inhabited

/-- A theorem of the library at these sizes: all its arguments except the last, constants that may be chosen, the
graph, and the formula as a function of the inputs. -/
structure Block where
  /-- All its arguments except the last. -/
  args : Array Expr
  /-- Constants that may be chosen, variables here. -/
  constants : Array Expr
  /-- Its graph. -/
  graph : Expr
  /-- The context of its inputs. -/
  context : Expr
  /-- Its formula, as a function of the inputs. -/
  formula : Expr

/-- Numbers for an argument of type `d`: itself, or the fields of a structure. -/
private partial def withConstants {α : Type} (R : Expr) (name : Name) (d : Expr)
    (k : Expr → Array Expr → MetaM α) : MetaM α := do
  if d == R then withLocalDeclD name R fun c => k c #[c] else
  let .const s ls := d.getAppFn | throwError "an argument {name} of the type {d}"
  let some info := getStructureInfo? (← getEnv) s | throwError "an argument {name} of the type {d}"
  let constructor := getStructureCtor (← getEnv) s
  let start := mkAppN (.const constructor.name ls) d.getAppArgs
  let rec fields (names : List Name) (e : Expr) (found : Array Expr) : MetaM α := do
    match names with
    | [] => k e found
    | n :: rest =>
      let .forallE _ t _ _ ← whnf (← inferType e) | throwError "{s} has fewer fields than names"
      withConstants R (name ++ n) t fun c cs => fields rest (mkApp e c) (found ++ cs)
  fields info.fieldNames.toList start #[]

/-- The theorem at the candidate's sizes, over `R`. -/
partial def withBlock {α : Type} (candidate : Candidate) (R laws : Expr) (k : Block → MetaM α) : MetaM α := do
  let info ← getConstInfo candidate.theorem_
  let levels := info.levelParams.map fun _ => u
  go (info.type.instantiateLevelParams info.levelParams levels) #[] #[]
where
  go (type : Expr) (args constants : Array Expr) : MetaM α := do
    let .forallE name d body _ := type | throwError "{candidate.theorem_} says nothing of inputs"
    let next (e : Expr) (cs : Array Expr) : MetaM α := go (body.instantiate1 e) (args.push e) (constants ++ cs)
    if d.isSort then next R #[]
    else if d.isAppOf ``RealField then next laws #[]
    else if d.isConstOf ``Nat then
      let some n := candidate.sizes.lookup name.toString
        | throwError "{candidate.theorem_} has a size {name}, which is missing"
      next (natE n) #[]
    else match d.getAppFnArgs with
      | (``Env, #[_, context]) =>
        withLocalDeclD name d fun ρ => do
          match (← instantiateForall type #[ρ]).getAppFnArgs with
          | (``Eq, #[_, left, right]) =>
            let (``Graph.eval, #[_, _, _, _, graph, _]) := left.getAppFnArgs
              | throwError "{candidate.theorem_} does not speak of a graph's value"
            k { args, constants, graph, context, formula := ← mkLambdaFVars #[ρ] right }
          | _ => throwError "{candidate.theorem_} is no equation of a graph's value"
      | _ => withConstants R name d next

end PostNorm.Capture
