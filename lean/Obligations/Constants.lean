import Obligations.Replay
import Obligations.Export

/-! # Constants in the export format of `lean4export`, NDJSON 3.1.0

Another kernel can check the export: it has the constants asked for and everything that they rest on, each after what it
rests on, and nothing else has to be read.  What the format cannot say, such as a term with a stray local
variable, is refused by name; it is never left out silently.  A term is written as it is built, without the flags that are
stored with it.

## Main definitions

* `#export_constants "nonce" "file" "names" "modules"`: writes the file, then one message that says what is in it.  Without
  names, it writes what an audit rests on, except for the modules named. -/

namespace Obligations.Constants
open Lean Elab Command

/-- What has been written, and under which number. -/
structure Written where
  names : Std.HashMap Name Nat := ({} : Std.HashMap Name Nat).insert .anonymous 0
  levels : Std.HashMap Level Nat := ({} : Std.HashMap Level Nat).insert .zero 0
  exprs : Std.HashMap Expr Nat := {}
  begun : NameHashSet := {}
  count : Nat := 0
  refused : Array (Name × String) := #[]

structure Context where
  env : Environment
  file : IO.FS.Handle
  buffer : IO.Ref String

abbrev ExportM := ReaderT Context <| StateRefT Written IO

private def flush : ExportM Unit := do
  let buffer := (← read).buffer
  (← read).file.putStr (← buffer.get)
  buffer.set ""

private def line (s : String) : ExportM Unit := do
  let buffer := (← read).buffer
  buffer.modify fun b => (b ++ s).push '\n'
  if (← buffer.get).utf8ByteSize > 262144 then flush

private def refuse {α : Type} (why : String) : ExportM α := throw <| .userError why

private def quote (s : String) : String := (Json.str s).compress

private def numbers (l : List Nat) : String := "[" ++ ",".intercalate (l.map toString) ++ "]"

private partial def name (n : Name) : ExportM Nat := do
  if let some i := (← get).names[n]? then return i
  let body ← match n with
    | .anonymous => return 0
    | .str p s => pure ("\"str\":{\"pre\":" ++ toString (← name p) ++ ",\"str\":" ++ quote s ++ "}")
    | .num p k => pure ("\"num\":{\"pre\":" ++ toString (← name p) ++ ",\"i\":" ++ toString k ++ "}")
  let i := (← get).names.size
  modify fun s => { s with names := s.names.insert n i }
  line ("{\"in\":" ++ toString i ++ "," ++ body ++ "}")
  return i

private partial def level (l : Level) : ExportM Nat := do
  if let some i := (← get).levels[l]? then return i
  let body ← match l with
    | .zero => return 0
    | .mvar _ => refuse "it holds a universe metavariable"
    | .succ a => pure ("\"succ\":" ++ toString (← level a))
    | .max a b => pure ("\"max\":" ++ numbers [← level a, ← level b])
    | .imax a b => pure ("\"imax\":" ++ numbers [← level a, ← level b])
    | .param n => pure ("\"param\":" ++ toString (← name n))
  let i := (← get).levels.size
  modify fun s => { s with levels := s.levels.insert l i }
  line ("{\"il\":" ++ toString i ++ "," ++ body ++ "}")
  return i

private def names (l : List Name) : ExportM String := return numbers (← l.mapM name)

private def parameters (l : List Name) : ExportM String := do
  for n in l do discard <| level (.param n)
  names l

private def binder : BinderInfo → String
  | .default => "\"default\"" | .implicit => "\"implicit\""
  | .strictImplicit => "\"strictImplicit\"" | .instImplicit => "\"instImplicit\""

/-- The number of a term; metadata, and the hint that a `let` does not depend on its value, are left out, for no kernel
looks at them. -/
private partial def expr (e : Expr) : ExportM Nat := do
  if let .mdata _ b := e then return ← expr b
  if let some i := (← get).exprs[e]? then return i
  let body ← match e with
    | .fvar _ => refuse "it holds a local variable that nothing binds"
    | .mvar _ => refuse "it holds a metavariable"
    | .mdata _ _ => refuse "it holds metadata"
    | .bvar i => pure ("\"bvar\":" ++ toString i)
    | .lit (.natVal k) => pure ("\"natVal\":\"" ++ toString k ++ "\"")
    | .lit (.strVal s) => pure ("\"strVal\":" ++ quote s)
    | .sort l => pure ("\"sort\":" ++ toString (← level l))
    | .const n us =>
      pure ("\"const\":{\"name\":" ++ toString (← name n) ++ ",\"us\":" ++ numbers (← us.mapM level) ++ "}")
    | .app f a =>
      let f ← expr f
      pure ("\"app\":{\"fn\":" ++ toString f ++ ",\"arg\":" ++ toString (← expr a) ++ "}")
    | .lam n d b bi =>
      let n ← name n
      let d ← expr d
      pure ("\"lam\":{\"name\":" ++ toString n ++ ",\"type\":" ++ toString d ++ ",\"body\":" ++ toString (← expr b) ++
        ",\"binderInfo\":" ++ binder bi ++ "}")
    | .forallE n d b bi =>
      let n ← name n
      let d ← expr d
      pure ("\"forallE\":{\"name\":" ++ toString n ++ ",\"type\":" ++ toString d ++ ",\"body\":" ++ toString (← expr b) ++
        ",\"binderInfo\":" ++ binder bi ++ "}")
    | .letE n t v b _ =>
      let n ← name n
      let t ← expr t
      let v ← expr v
      pure ("\"letE\":{\"name\":" ++ toString n ++ ",\"type\":" ++ toString t ++ ",\"value\":" ++ toString v ++
        ",\"body\":" ++ toString (← expr b) ++ ",\"nondep\":false}")
    | .proj s i x =>
      let s ← name s
      pure ("\"proj\":{\"typeName\":" ++ toString s ++ ",\"idx\":" ++ toString i ++ ",\"struct\":" ++ toString (← expr x) ++ "}")
  let i := (← get).exprs.size
  modify fun s => { s with exprs := s.exprs.insert e i }
  line ("{\"ie\":" ++ toString i ++ "," ++ body ++ "}")
  return i

private def base (v : ConstantVal) : ExportM String := do
  let n ← name v.name
  let us ← parameters v.levelParams
  return "\"name\":" ++ toString n ++ ",\"levelParams\":" ++ us ++ ",\"type\":" ++ toString (← expr v.type)

private def flag (b : Bool) : String := if b then "true" else "false"

/-- Note that a declaration begins, and say whether it had already. -/
private def beginning (n : Name) : ExportM Bool :=
  modifyGet fun s => (s.begun.contains n, { s with begun := s.begun.insert n })

private def declared (s : String) (constants : Nat := 1) : ExportM Unit := do
  line s
  modify fun s => { s with count := s.count + constants }

/-- What a term rests on: the constants that it names, and those that a kernel has to know for its literals. -/
private def usedBy (e : Expr) : Array Name :=
  let has (p : Expr → Bool) := (e.find? p).isSome
  namedIn e ++ (if has (·.isStringLit) then #[``Nat, ``Char.ofNat, ``String.ofList] else if has (·.isRawNatLit) then #[``Nat] else #[])

mutual

private partial def deps (es : List Expr) : ExportM Unit := do
  for e in es do
    for c in usedBy e do constant c

/-- Write a constant after everything it rests on, or note why it cannot be written. -/
private partial def constant (c : Name) : ExportM Unit := do
  if ← beginning c then return
  try
    let some d := (← read).env.find? c | refuse "no module declares it"
    declaration c d
  catch e =>
    discard <| name c
    modify fun s => { s with refused := s.refused.push (c, toString e) }

private partial def declaration (c : Name) (d : ConstantInfo) : ExportM Unit := do
  if d.name != c then refuse s!"it is stored under another name than its own, {d.name}"
  if d.isUnsafe then refuse "it is unsafe, and no kernel checks that"
  if d.isPartial then refuse "it is partial, and no kernel checks that"
  match d with
  | .axiomInfo v =>
    deps [v.type]
    let head ← base v.toConstantVal
    declared ("{\"axiom\":{" ++ head ++ ",\"isUnsafe\":false}}")
  | .defnInfo v =>
    deps [v.type, v.value]
    let hints := match v.hints with
      | .opaque => "\"opaque\"" | .abbrev => "\"abbrev\"" | .regular h => "{\"regular\":" ++ toString h ++ "}"
    let head ← base v.toConstantVal
    let value ← expr v.value
    declared ("{\"def\":{" ++ head ++ ",\"value\":" ++ toString value ++ ",\"hints\":" ++ hints ++
      ",\"safety\":\"safe\",\"all\":" ++ (← names v.all) ++ "}}")
  | .thmInfo v =>
    deps [v.type, v.value]
    let head ← base v.toConstantVal
    let value ← expr v.value
    declared ("{\"thm\":{" ++ head ++ ",\"value\":" ++ toString value ++ ",\"all\":" ++ (← names v.all) ++ "}}")
  | .opaqueInfo v =>
    deps [v.type, v.value]
    let head ← base v.toConstantVal
    let value ← expr v.value
    declared ("{\"opaque\":{" ++ head ++ ",\"value\":" ++ toString value ++ ",\"isUnsafe\":false,\"all\":" ++
      (← names v.all) ++ "}}")
  | .quotInfo _ =>
    constant ``Eq
    for (n, kind) in [(`Quot, "type"), (`Quot.mk, "ctor"), (`Quot.lift, "lift"), (`Quot.ind, "ind")] do
      discard <| beginning n
      let some (.quotInfo v) := (← read).env.find? n | refuse s!"{n} is missing"
      let head ← base v.toConstantVal
      declared ("{\"quot\":{" ++ head ++ ",\"kind\":\"" ++ kind ++ "\"}}")
  | .ctorInfo v => derived c v.induct
  | .recInfo v => derived c (v.all.headD .anonymous)
  | .inductInfo v => if v.all.head? == some c then inductiveTypes v else derived c (v.all.headD .anonymous)

/-- A constant that comes with an inductive type. -/
private partial def derived (c first : Name) : ExportM Unit := do
  let env := (← read).env
  let some (.inductInfo v) := env.find? first | refuse s!"its inductive type {first} is missing"
  let own := v.all ++ v.all.flatMap fun t => match env.find? t with
    | some (.inductInfo t) => t.ctors
    | _ => []
  let recursors := v.all.map mkRecName ++ (List.range v.numNested).map fun i => v.all.head!.str s!"rec_{i + 1}"
  unless (own ++ recursors).contains c do refuse s!"{first} has no such constructor or recursor"
  constant (v.all.headD first)

private partial def inductiveTypes (first : InductiveVal) : ExportM Unit := do
  let env := (← read).env
  let mut types := #[]
  let mut ctors := #[]
  let mut recs := #[]
  for n in first.all do
    let some (.inductInfo v) := env.find? n | refuse s!"{n}, declared with it, is missing"
    types := types.push v
    discard <| beginning n
    for c in v.ctors do
      let some (.ctorInfo k) := env.find? c | refuse s!"its constructor {c} is missing"
      ctors := ctors.push k
      discard <| beginning c
  for r in first.all.map mkRecName ++ (List.range first.numNested).map fun i => first.all.head!.str s!"rec_{i + 1}" do
    let some (.recInfo v) := env.find? r | refuse s!"its recursor {r} is missing"
    recs := recs.push v
    discard <| beginning r
  for v in types do deps [v.type]
  for v in ctors do deps [v.type]
  for v in recs do deps (v.type :: v.rules.map (·.rhs))
  let ts ← types.toList.mapM fun v => return "{" ++ (← base v.toConstantVal) ++
    s!",\"numParams\":{v.numParams},\"numIndices\":{v.numIndices},\"all\":{← names v.all},\"ctors\":{← names v.ctors}" ++
    s!",\"numNested\":{v.numNested},\"isRec\":{flag v.isRec},\"isUnsafe\":false,\"isReflexive\":{flag v.isReflexive}}"
  let cs ← ctors.toList.mapM fun v => return "{" ++ (← base v.toConstantVal) ++
    s!",\"induct\":{← name v.induct},\"cidx\":{v.cidx},\"numParams\":{v.numParams},\"numFields\":{v.numFields}" ++
    ",\"isUnsafe\":false}"
  let rs ← recs.toList.mapM fun v => do
    let head ← base v.toConstantVal
    let rules ← v.rules.mapM fun (r : RecursorRule) => do
      let ctor ← name r.ctor
      let rhs ← expr r.rhs
      return s!"\{\"ctor\":{ctor},\"nfields\":{r.nfields},\"rhs\":{rhs}}"
    return "{" ++ head ++ s!",\"all\":{← names v.all},\"numParams\":{v.numParams},\"numIndices\":{v.numIndices}" ++
      s!",\"numMotives\":{v.numMotives},\"numMinors\":{v.numMinors},\"rules\":[{",".intercalate rules}]" ++
      s!",\"k\":{flag v.k},\"isUnsafe\":false}"
  declared (constants := types.size + ctors.size + recs.size)
    s!"\{\"inductive\":\{\"types\":[{",".intercalate ts}],\"ctors\":[{",".intercalate cs}],\"recs\":[{",".intercalate rs}]}}"

end

/-- Write these constants and everything below them. -/
def write (env : Environment) (path : System.FilePath) (roots : Array Name) : IO Written := do
  let file ← IO.FS.Handle.mk path .write
  let act : ExportM Unit := do
    line <| (Json.mkObj [("meta", Json.mkObj
      [("exporter", Json.mkObj [("name", .str "lean-obligations"), ("version", .str "1")]),
        ("lean", Json.mkObj [("githash", .str Lean.githash), ("version", .str Lean.versionString)]),
        ("format", Json.mkObj [("version", .str "3.1.0")])])]).compress
    for n in roots do
      constant n
      discard <| name n
    flush
  let (_, found) ← (act.run { env, file, buffer := ← IO.mkRef "" }).run {}
  file.flush
  return found

/-- What an audit rests on: the tagged theorems, and the lemmas that prove their hypotheses. -/
def audited (env : Environment) : Array Tagged :=
  taggedIn env ++ taggedBy env fun i => (dischargesAttr.ext.getModuleEntries env i).map (·.1)

/-- Write constants, and all that they rest on, to a file.  An empty list stands for what an audit rests on, except what these
modules both declare and tag. -/
syntax (name := exportConstants) "#export_constants " str ppSpace str ppSpace str ppSpace str : command

elab_rules : command
  | `(#export_constants $nonce $path $wanted $modules) => do
    liftCoreM noteShipped
    let env ← getEnv
    let listed ← namesIn wanted
    let named ← namesIn modules
    let without : NameSet := if listed.isEmpty then named.foldl NameSet.insert {} else {}
    let roots := if listed.isEmpty then (audited env).filter (!·.leftOut without)
      else listed.map fun name => { name, module := .anonymous, own := false }
    let found ← write env path.getString (roots.map (·.name))
    let numbered (n : Name) : Json := toJson (found.names.getD n 0)
    let own := found.begun.toArray.filter fun n => !(moduleOf? env n).any (isDistribution env)
    answer nonce.getString [("kind", .str "constants"), ("count", toJson found.count),
      ("roots", .arr <| roots.map fun t =>
        .arr #[numbered t.name, .str t.name.toString, if t.own then .str t.module.toString else .null]),
      ("refused", .arr <| found.refused.map fun (n, why) => .arr #[numbered n, .str n.toString, .str why]),
      ("own", .arr <| own.map numbered), ("left_out", .arr <| without.toArray.map fun m => .str m.toString)]

end Obligations.Constants
