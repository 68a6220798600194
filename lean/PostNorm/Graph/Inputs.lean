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
`ρ.get ΓRmsNorm.gamma` reads an environment by name.

## Main definitions

* `declare_inputs`: the command. -/

namespace PostNorm
open Lean

/-- One input: its name and its shape. -/
syntax inputsField := withPosition(atomic((docComment)? ident " : ") term)

/-- A context whose values have names; see the head of this file. -/
syntax (name := inputsCommand) (docComment)? "declare_inputs " ident " (" ident+ " : " &"Nat" ")" " where"
  (ppLine inputsField)+ : command

macro_rules
  | `($[$doc:docComment]? declare_inputs $Γ:ident ($sizes:ident* : Nat) where $fields:inputsField*) => do
    let nat := mkIdent `Nat
    let mut shapes : Array Term := #[]
    let mut indices : Array (TSyntax `command) := #[]
    let mut place ← `(Idx.here)
    for field in fields do
      match field with
      | `(inputsField| $[$text:docComment]? $x:ident : $s) =>
        let name := mkIdentFrom x (Γ.getId ++ x.getId)
        indices := indices.push (← `(command|
          $[$text:docComment]? abbrev $name:ident {$sizes* : $nat} : Idx ($Γ $sizes*) $s := $place))
        shapes := shapes.push s
        place ← `(Idx.there $place)
      | _ => Macro.throwUnsupported
    let context ← `(command| $[$doc:docComment]? abbrev $Γ:ident ($sizes* : $nat) : Context := [$shapes,*])
    return mkNullNode (#[context.raw] ++ indices.map (·.raw))

end PostNorm
