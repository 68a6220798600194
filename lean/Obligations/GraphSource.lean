import Obligations.GraphTerm

/-! # Reading a definition as a graph

## Main definitions

* `GraphSource.toJson`: the graph of a definition at given sizes. -/

namespace Obligations
open Lean Meta
namespace GraphTerm

/-- Operations of a graph that take one number. -/
private def unary : List String := ["exp", "tanh", "sqrt", "sigmoid", "log", "normalCdf"]

/-- Operations that a definition may contain, by what `Known` calls them. -/
private def supported : List String :=
  unary ++ ["add", "sub", "mul", "div", "neg", "inv", "literal", "scientific", "zero", "one", "cast", "power", "sum", "sumOver"]

/-- Where we are. -/
private def here : GraphM Context := MonadReaderOf.read

mutual

/-- What a term computes: a number, or a function of indices to numbers. -/
partial def read (e : Expr) : GraphM Value := do
  let e := (← instantiateMVars e).consumeMData.headBeta.cleanupAnnotations
  match e with
  | .lam n t b i => function n t b i e
  | .letE n t v b _ =>
    if (← lengths? t).isNone then return ← read (b.instantiate1 v)
    let value ← read v
    let value ← if n.hasMacroScopes then pure value else named n.toString value
    withLetDecl n t v fun x =>
      withReader (fun c => { c with values := c.values.insert x.fvarId! value }) (read (b.instantiate1 x))
  | _ =>
    match e.getAppFn with
    | .fvar id =>
      match (← here).values[id]? with
      | some v => e.getAppArgs.foldlM (fun v i => atIndex v i e) v
      | none => refuse m!"nothing is known of {e.getAppFn}" e
    | .const n us => application e n us e.getAppArgs
    | _ =>
      let e' ← whnfCore e
      if e' == e then refuse m!"this is not a number that a graph computes" e else read e'

/-- `fun i => …` over a `Fin n`. -/
private partial def function (n : Name) (t b : Expr) (i : BinderInfo) (e : Expr) : GraphM Value := do
  let some length ← finLength? t | refuse m!"a function of {t}, which is not `Fin n`" e
  if length == 0 then refuse m!"a length of {t} is 0" e
  withLocalDecl n i t fun x => do
    let x' := x.fvarId!
    withReader (fun c => { c with indices := c.indices.push (x', length) }) do
      match ← read (b.instantiate1 x) with
      | .tensor place free own =>
        let rest := free.filter (· != x')
        return .tensor (← align place free own (rest.push x')) rest (length :: own)
      | v => return v

/-- A value at one more index: an index variable, or a number that is written out. -/
private partial def atIndex (v : Value) (index e : Expr) : GraphM Value := do
  let .tensor place free own := v | return v
  let length :: rest := own | refuse m!"a number is not a function" e
  let index ← whnfR index
  if let .fvar i := index then
    if (← here).indices.any (·.1 == i) then
      if free.contains i then refuse m!"the index {index} occurs twice" e
      return .tensor place (free.push i) rest
  let some k ← natural? (mkApp2 (.const ``Fin.val []) (mkNatLit length) index)
    | refuse m!"the index {index} is neither a variable nor a number" e
  let lengths ← free.toList.mapM lengthOf
  let one ← node "place" [place] (lengths ++ 1 :: rest) [("axis", toJson free.size), ("index", toJson [k])]
  return .tensor (← node "reshape" [one] (lengths ++ rest)) free rest

/-- The constant `n` applied to `args`. -/
private partial def application (e : Expr) (n : Name) (us : List Level) (args : Array Expr) : GraphM Value := do
  if let some op := knownOperation (← getEnv) n then
    if args.size < op.arity then return ← read (← expanded e)
    let own := args[:op.arity].toArray
    let carrier := (op.carrier.map fun i => own[i]!).or (op.fixed.map (.const · []))
    if supported.contains op.name && op.arity == args.size then
      for i in op.instances do
        if let some other ← own[i]!.getUsedConstants.findM? fun c => return !(← usual (.const c [])) then
          refuse m!"{fullName other} is not the usual instance of {fullName n}" e
      let some carrier := carrier | refuse m!"no operation computes {fullName n}" e
      unless ← isField carrier <&&> (op.alike.allM fun i => isDefEq own[i]! carrier) do
        refuse m!"graphs compute with real and rational numbers, and {fullName n} is about {carrier}" e
      return ← operation op own e
    refuse m!"no operation computes {fullName n}" e
  if let some v ← foldedSum? n args then return v
  let e' ← whnfCore e
  if e' != e then return ← read e'
  if let some e' ← unfoldProjInst? e then return ← read e'
  match ← reasonNotToUnfold n with
  | none => call n us args
  | some _ => refuse m!"no operation computes {fullName n}" e

private partial def expanded (e : Expr) : GraphM Expr := do
  let e' ← etaExpand e
  if e'.isLambda then return e' else refuse m!"too few arguments" e

private partial def operation (op : Operation) (args : Array Expr) (e : Expr) : GraphM Value := do
  let terms := op.arguments.map fun i => args[i]!
  if unary.contains op.name then return ← entrywise op.name [← read terms[0]!]
  match op.name with
  | "add" => added (← read terms[0]!) (← read terms[1]!)
  | "sub" => subtracted (← read terms[0]!) (← read terms[1]!)
  | "mul" => multiplied (← read terms[0]!) (← read terms[1]!)
  | "div" => multiplied (← read terms[0]!) (← inverted (← read terms[1]!))
  | "neg" => negated (← read terms[0]!)
  | "inv" => inverted (← read terms[0]!)
  | "zero" => return .number 0
  | "one" => return .number 1
  | "literal" | "cast" =>
    if let some k ← natural? terms[0]! then return .number k
    if op.name == "cast" && (← isField (← inferType terms[0]!)) then
      if let .number c ← read terms[0]! then return .number c
    refuse m!"a number that depends on an index or an input" e
  | "scientific" =>
    match ← natural? terms[0]!, terms[1]!.isConstOf ``Bool.true, ← natural? terms[2]! with
    | some m, minus, some x => return .number (if minus then (m : Rat) / (10 ^ x : Nat) else m * (10 ^ x : Nat))
    | _, _, _ => refuse m!"a number that is not written out" e
  | "power" =>
    let some k ← natural? terms[1]! | refuse m!"an exponent that is not a natural number" e
    raised (← read terms[0]!) k
  | "sum" =>
    let some n ← natural? terms[0]! | refuse m!"a sum whose length is not a number" e
    sumOf n terms[1]!
  | "sumOver" =>
    let s ← whnfR terms[0]!
    let n ← if s.isAppOf `Finset.univ then finLength? s.getAppArgs[0]! else pure none
    let some n := n | refuse m!"a sum over {terms[0]!}, which is not all of a `Fin n`" e
    sumOf n terms[1]!
  | _ => refuse m!"no operation computes this" e

private partial def sumOf (n : Nat) (f : Expr) : GraphM Value := do
  if n == 0 then return .number 0
  summed (← read f) n

/-- `Fin.foldl n (fun total i => total + …) start`. -/
private partial def foldedSum? (n : Name) (args : Array Expr) : GraphM (Option Value) := do
  unless n == ``Fin.foldl && args.size == 4 && (← isField args[0]!) do return none
  let some length ← natural? args[1]! | return none
  let step ← lambdaBoundedTelescope args[2]! 2 fun xs body => do
    unless xs.size == 2 && body.isAppOfArity ``HAdd.hAdd 6 && body.getAppArgs[4]! == xs[0]! do return none
    let term := body.appArg!
    if term.containsFVar xs[0]!.fvarId! || !(← usual body.getAppArgs[3]!) then return none
    return some (← mkLambdaFVars #[xs[1]!] term)
  let some step := step | return none
  return some (← added (← read args[3]!) (← sumOf length step))

/-- A definition of the project: its body, at the values of its arguments.  The same call is read once. -/
private partial def call (n : Name) (us : List Level) (args : Array Expr) : GraphM Value := do
  let mut values := #[]
  let mut decls : Array (Name × (Array Expr → GraphM Expr)) := #[]
  let mut places := #[]
  let value := (← getConstInfo n).instantiateValueLevelParams! us
  let mut rest := value
  for a in args, k in [0:args.size] do
    let type ← inferType a
    let name := if rest.isLambda then rest.bindingName! else `x
    rest := if rest.isLambda then rest.bindingBody! else rest
    if (← lengths? type).isSome then
      values := values.push (← read a)
      decls := decls.push (name, fun _ => pure type)
      places := places.push k
  let values' := values
  let places' := places
  withLocalDeclsD decls fun xs => do
    let mut mixed := args
    for x in xs, k in places' do mixed := mixed.set! k x
    let key := (← mkLambdaFVars xs (mkAppN (.const n us) mixed), values')
    if let some v := (← get).calls[key]? then return v
    let bound := (xs.map (·.fvarId!)).zip values'
    let v ← withReader (fun c => { c with inside := n, values := bound.foldl (fun m (x, v) => m.insert x v) c.values }) do
      read (value.beta mixed)
    let v ← named (n.components.getLastD n).toString v
    modify fun s => { s with calls := s.calls.insert key v }
    return v

end

private def written (n : Name) (k : Nat) : String :=
  if n.hasMacroScopes || n.isAnonymous || n == `_ then s!"x{k + 1}" else n.toString

/-- Go through the arguments of the definition, then read it. -/
private partial def arguments (type fn : Expr) (sizes : List Nat) : GraphM Nat := do
  let whole ← if ← isField type then pure type else whnf type
  let .forallE n t b i := whole
    | do
      let (place, free, own) ← tensorOf (← read fn)
      align place free own ((← here).indices.map (·.1))
  if (← whnfR t).isConstOf ``Nat then
    let k := mkNatLit (sizes.headD 1)
    return ← arguments (b.instantiate1 k) (.app fn k) sizes.tail
  withLocalDecl n i t fun x => do
    let rest := arguments (b.instantiate1 x) (.app fn x) sizes
    let name := written n (← get).inputs.size
    match ← lengths? t, ← finLength? t with
    | some own, _ =>
      let bind (v : Value) := withReader (fun c => { c with values := c.values.insert x.fvarId! v }) rest
      if let some k := (← here).source.constants.findIdx? (·.1 == name) then
        unless own.isEmpty do throwError "{name} is not a number: its type is {t}"
        bind (.symbol k)
      else
        if own.contains 0 then refuse m!"a length of {t} is 0" x
        modify fun s => { s with inputs := s.inputs.push (name, own) }
        bind (.tensor ((← get).inputs.size - 1) #[] own)
    | none, some length =>
      if length == 0 then refuse m!"a length of {t} is 0" x
      withReader (fun c => { c with indices := c.indices.push (x.fvarId!, length) }) rest
    | none, none =>
      let type ← inferType t
      let sort := (← whnf t).isSort
      unless sort || type.isProp || (← isClass? t).isSome do refuse m!"an argument of type {t}" x
      rest

/-- The nodes that the output needs, with their places from now on, and names. -/
private def inOrder (s : State) (output : Nat) : Array (Node × String) × (Nat → Nat) := Id.run do
  let count := s.inputs.size
  let mut needed := Array.replicate (count + s.nodes.size) false
  needed := needed.set! output true
  for back in [0:s.nodes.size] do
    let k := s.nodes.size - 1 - back
    if needed[count + k]! then
      for a in (s.nodes[k]?.map (·.args)).getD [] do needed := needed.set! a true
  let mut places := Array.range count
  let mut taken := s.inputs.toList.map (·.1)
  let mut kept := #[]
  for node in s.nodes, name in s.names, k in [0:s.nodes.size] do
    places := places.push (count + kept.size)
    unless needed[count + k]! do continue
    let mut own := name.getD s!"{node.op}1"
    let stem := name.getD node.op
    let mut number := 2
    while taken.contains own do
      own := s!"{stem}{number}"
      number := number + 1
    taken := own :: taken
    kept := kept.push (node, own)
  let places' := places
  return (kept, fun place => places'[place]!)

end GraphTerm

open GraphTerm

/-- The graph of a definition at these sizes, as an `obligations-graph/1` object.  Throws where it contains what no
operation of graphs computes. -/
def GraphSource.toJson (source : GraphSource) (sizes : List Nat) : MetaM Json := do
  let info ← getConstInfo source.declaration
  let fn := .const source.declaration (info.levelParams.map mkLevelParam)
  let (output, s) ← (arguments info.type fn sizes).run { source, inside := source.declaration } |>.run {}
  let (nodes, place) := inOrder s output
  for (name, _) in source.constants do
    unless nodes.any fun (n, _) => n.params.any fun (k, v) => k == "symbol" && v == .str name do
      throwError "{fullName source.declaration} does not depend on the number {name}"
  let shaped (name : String) (shape : List Nat) := [("name", Json.str name), ("shape", Lean.toJson shape)]
  return Json.mkObj [("schema", "obligations-graph/1"), ("name", .str (shortName source.declaration)),
    ("declaration", .str source.declaration.toString),
    ("sizes", Json.mkObj (source.sizes.zip sizes |>.map fun ((n, _), k) => (n, Lean.toJson k))),
    ("inputs", .arr (s.inputs.map fun (name, shape) => Json.mkObj (shaped name shape))),
    ("nodes", .arr (nodes.map fun (n, name) => Json.mkObj (shaped name n.shape ++
      [("op", .str n.op), ("args", Lean.toJson (n.args.map place)), ("params", Json.mkObj n.params)]))),
    ("outputs", Lean.toJson [place output])]

end Obligations
