import Lean

/-! # Terms as text that does not depend on names of bound variables

The bridge fingerprints statements and definitions by this text.  Two terms that differ only in the names
of bound variables, of universe parameters, or in metadata have the same text; the terms are closed, and
equal subterms are written once.

## Main definitions

* `Obligations.canonical`: the text of a closed term.
* `Obligations.ownConstants`: the constants of the audited project that a declaration unfolds to. -/

namespace Obligations
open Lean

/-- The imported modules that the running Lean ships, set by `noteShipped`. -/
initialize shippedModules : EnvExtension NameSet ← registerEnvExtension (pure {})

/-- Find out which of the imported modules come from the folder of Lean's own library.  A name alone does not show it: a project
may have a module `Lake.Extra`, and even one with the name of a module that Lean ships, which is then found first. -/
def noteShipped : CoreM Unit := do
  let env ← getEnv
  let library := (← findOLean `Init).parent.getD "."
  let mut shipped : NameSet := {}
  for m in env.header.moduleNames do
    if m.getRoot ∈ [`Init, `Std, `Lean, `Lake] then
      let own := modToFilePath library m "olean"
      let found ← try some <$> findOLean m catch _ => pure none
      if found == some own && (← own.pathExists) then shipped := shipped.insert m
  setEnv (shippedModules.setState env shipped)

/-- Does the running Lean ship this module?  `noteShipped` must have run. -/
def isDistribution (env : Environment) (module : Name) : Bool :=
  (shippedModules.getState env).contains module

private structure State where
  lines : Array String := #[]
  seen : Std.HashMap Expr Nat := {}

private def level (params : List Name) : Level → String
  | .zero => "0"
  | .succ l => s!"S({level params l})"
  | .max a b => s!"M({level params a},{level params b})"
  | .imax a b => s!"I({level params a},{level params b})"
  | .param n => match params.idxOf? n with
    | some i => s!"p{i}"
    | none => s!"?{n}"
  | .mvar _ => "?mvar"

private def literal : Literal → String
  | .natVal n => s!"n{n}"
  | .strVal s => s!"s{s.quote}"

private partial def visit (params : List Name) (e : Expr) : StateM State Nat := do
  let e := e.consumeMData
  if let some i := (← get).seen[e]? then return i
  let line : String ← match e with
    | .bvar i => pure s!"b{i}"
    | .sort l => pure s!"t {level params l}"
    | .const n ls => pure s!"c {n} {ls.map (level params)}"
    | .lit l => pure s!"l {literal l}"
    | .app f a => pure s!"a {← visit params f} {← visit params a}"
    | .lam _ t b _ => pure s!"f {← visit params t} {← visit params b}"
    | .forallE _ t b _ => pure s!"p {← visit params t} {← visit params b}"
    | .letE _ t v b _ => pure s!"e {← visit params t} {← visit params v} {← visit params b}"
    | .proj s i b => pure s!"j {s} {i} {← visit params b}"
    | .mdata _ b => return ← visit params b
    | .fvar n => pure s!"?{n.name}"
    | .mvar n => pure s!"?{n.name}"
  modifyGet fun s => (s.lines.size, ⟨s.lines.push line, s.seen.insert e s.lines.size⟩)

/-- The term, one subterm a line; a line refers to earlier ones by their number. -/
def canonical (params : List Name) (e : Expr) : String :=
  "\n".intercalate (visit params e |>.run {}).2.lines.toList

/-- The expressions that fix what a constant means: its type; the value of a definition (not of a theorem,
whose proof does not matter); the constructors of an inductive type. -/
def meaning (env : Environment) : ConstantInfo → List Expr
  | .defnInfo v => [v.type, v.value]
  | .opaqueInfo v => [v.type, v.value]
  | .inductInfo v => v.type :: v.ctors.filterMap fun c => (env.find? c).map (·.type)
  | .recInfo v => v.type :: v.rules.map (·.rhs)
  | c => [c.type]

/-- The module that declares a constant; the current file's have none.  (`EnvironmentHeader.moduleNames` is a function that makes
an array of all names at each use.) -/
def moduleOf? (env : Environment) (n : Name) : Option Name :=
  env.getModuleIdxFor? n |>.bind fun i => env.header.modules[i.toNat]?.map (·.module)

/-- Constants outside the distribution among those used in `es`, in order of first use. -/
def ownConstants (env : Environment) (es : List Expr) : Array Name :=
  es.foldl (init := #[]) fun acc e => e.getUsedConstants.foldl (init := acc) fun acc n =>
    if acc.contains n then acc
    else match moduleOf? env n with
      | some m => if isDistribution env m then acc else acc.push n
      | none => acc.push n

end Obligations
