import PostNorm.Graph.Correct
import PostNorm.Graph.Operations

/-! # `graph!`: graphs with named values

```
graph! x gamma =>
  let mean := .mean x               -- an operation
  let p := softmax ⟪x⟫              -- a call of another graph
  return .mul p gamma
```
The names before `=>` are those of the inputs, in the order of the context.  Every name becomes the typed index of its
value at the place of use, and stays in the graph as the name of the saved value.

## Main definitions

* `graph!`: the notation.
* `graph_simp [ls]`, `graph_side_conditions [ls]`: tactics that unfold evaluation and side conditions of graphs,
  down to the lemmas given. -/

namespace PostNorm
open Lean

/-- The right-hand side of a step: a value, an operation, or a call `f ⟪x, y⟫` of another graph. -/
declare_syntax_cat graphRhs
syntax term : graphRhs
syntax term:max term:max* " ⟪" ident,* "⟫" : graphRhs

/-- One named value. -/
declare_syntax_cat graphStep
syntax ppLine "let " ident (" : " term)? " := " graphRhs : graphStep

/-- A graph from named steps: `graph! x gamma => let mean := .mean x … return y`. -/
syntax (name := graphBang) "graph! " ident* " => " graphStep* ppLine "return " graphRhs : term

/-- The de Bruijn index of a name in scope (newest first). -/
def idxOf (scope : List Name) (x : Name) : Option (MacroM Term) :=
  (scope.idxOf? x).map go
where
  go : Nat → MacroM Term
    | 0 => `(Idx.here)
    | k + 1 => do `(Idx.there $(← go k))

/-- Replace every name in scope by its index (except the `mul` of `.mul`). -/
partial def substNames (scope : List Name) (s : Syntax) : MacroM Syntax :=
  match s with
  | .ident _ _ x _ => match idxOf scope x with
    | some m => return (← withRef s m).raw
    | none => return s
  | .node i k as =>
    if k == `Lean.Parser.Term.dotIdent then return s
    else return .node i k (← as.mapM (substNames scope))
  | s => return s

/-- The graph of a right-hand side. -/
def graphRhsTerm (scope : List Name) : TSyntax `graphRhs → MacroM Term
  | `(graphRhs| $f:term $as:term* ⟪ $xs,* ⟫) => do
    let mut args ← `(Args.nil)
    for x in xs.getElems.reverse do
      match idxOf scope x.getId with
      | some m => args ← `(Args.cons $(← withRef x m) $args)
      | none => Macro.throwErrorAt x s!"no value named {x.getId} in scope"
    let label := match f.raw with
      | .ident _ _ n _ => toString n
      | _ => "call"
    let call ← if as.isEmpty then pure f else `($f $as*)
    `(Graph.call $(quote label) $call $args)
  | `(graphRhs| $t:term) => do
    if t.raw.isIdent then
      match idxOf scope t.raw.getId with
      | some m => `(Graph.var $(← withRef t m))
      | none => Macro.throwErrorAt t s!"no value named {t.raw.getId} in scope"
    else `(Graph.op $(⟨← substNames scope t⟩))
  | _ => Macro.throwUnsupported

/-- The graph of the remaining steps. -/
def graphSteps (scope : List Name) (ret : TSyntax `graphRhs) :
    List (TSyntax `graphStep) → MacroM Term
  | [] => graphRhsTerm scope ret
  | s :: rest => do
    match s with
    | `(graphStep| let $x:ident $[: $ty]? := $r:graphRhs) => do
      let a ← graphRhsTerm scope r
      let b ← graphSteps (x.getId :: scope) ret rest
      let name : Term := quote (toString x.getId)
      match ty with
      | none => `(Graph.letIn $name $a $b)
      | some ty => `(Graph.letIn (t := $ty) $name $a $b)
    | _ => Macro.throwUnsupported

macro_rules
  | `(graph! $xs* => $steps* return $r) =>
    graphSteps (xs.toList.map (·.getId.eraseMacroScopes)) r steps.toList

/-- Unfold the evaluation of graphs, down to the lemmas given. -/
macro "graph_simp" "[" ls:Lean.Parser.Tactic.simpLemma,* "]" : tactic =>
  `(tactic| simp only [Graph.eval, graph_op, Env.get_here, Env.get_there, Args.pull_cons,
    Args.pull_nil, $ls,*])

/-- Unfold the side conditions of graphs, down to the lemmas given. -/
macro "graph_side_conditions" "[" ls:Lean.Parser.Tactic.simpLemma,* "]" : tactic =>
  `(tactic| simp only [Graph.SideConditions, graph_op, implies_true, true_and,
    and_true, and_self, Graph.eval, Env.get_here, Env.get_there, Args.pull_cons,
    Args.pull_nil, $ls,*])

end PostNorm
