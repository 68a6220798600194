import PostNorm.Graph.Context

/-! # `declare_inputs`: a context whose values have names

```
/-- The inputs of RMSNorm. -/
declare_inputs ΓRmsNorm (seqLen dModel : Nat) where
  /-- The rows. -/
  x : ⟦seqLen, dModel⟧
  /-- The scale of each column. -/
  gamma : ⟦dModel⟧
```
declares the context `ΓRmsNorm seqLen dModel` and the indices `ΓRmsNorm.x` and `ΓRmsNorm.gamma` into it, so that
`ρ.get ΓRmsNorm.gamma` reads an environment by name.  Inputs that belong together share a description:
```
  /-- The weights and biases of a map. -/
  Wq Wk : ⟦dModel, dModel⟧, bq bk : ⟦dModel⟧
```
With `as idxRmsNorm` before `where`, the indices are called `idxRmsNormX` and `idxRmsNormGamma`.

## Main definitions

* `declare_inputs`: the command. -/

namespace PostNorm
open Lean

/-- Inputs of one shape: their names, and the shape. -/
syntax inputsGroup := ident+ " : " term

/-- Inputs that share a description. -/
syntax inputsField := withPosition(atomic((docComment)? ident+ " : ") term (", " inputsGroup)*)

/-- A context whose values have names; see the head of this file. -/
syntax (name := inputsCommand) (docComment)? "declare_inputs " ident " (" ident+ " : " &"Nat" ")" (&" as " ident)?
  " where" (ppLine inputsField)+ : command

macro_rules
  | `($[$doc:docComment]? declare_inputs $Γ:ident ($sizes:ident* : Nat) $[as $stem:ident]? where
        $fields:inputsField*) => do
    let nat := mkIdent `Nat
    let mut shapes : Array Term := #[]
    let mut indices : Array (TSyntax `command) := #[]
    let mut place ← `(Idx.here)
    for field in fields do
      let `(inputsField| $[$text:docComment]? $xs:ident* : $s $[, $more:inputsGroup]*) := field
        | Macro.throwUnsupported
      let groups ← more.mapM fun
        | `(inputsGroup| $xs:ident* : $s) => return (xs, s)
        | _ => Macro.throwUnsupported
      for (xs, s) in #[(xs, s)] ++ groups do
        for x in xs do
          let name := mkIdentFrom x <| match stem with
            | some stem => stem.getId.appendAfter x.getId.toString.capitalize
            | none => Γ.getId ++ x.getId
          indices := indices.push (← `(command|
            $[$text:docComment]? abbrev $name:ident {$sizes* : $nat} : Idx ($Γ $sizes*) $s := $place))
          shapes := shapes.push s
          place ← `(Idx.there $place)
    let context ← `(command| $[$doc:docComment]? abbrev $Γ:ident ($sizes* : $nat) : Context := [$shapes,*])
    return mkNullNode (#[context.raw] ++ indices.map (·.raw))

end PostNorm
