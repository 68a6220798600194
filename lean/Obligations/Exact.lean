import Obligations.Exact.Experiment
import Obligations.Exact.Explore
import Obligations.Export

/-! # Statements judged by Lean itself

A theorem over types that a computer can represent is tried on instances: Lean draws its binders, decides its hypotheses
and its conclusion in exact arithmetic, and reports the outcome.  Nothing is proved here; compiled code runs.

## Main definitions

* `#judge_exactly "nonce" "request"`: what many instances say of each theorem asked for, or the constant that prevents
  it.
* `#replay_exactly "nonce" "request"`: one instance, and where its conclusion fails the smallest that was found.
* `#draw_exactly "nonce" "request"`: the values of many, for a check in Python. -/

namespace Obligations.Exact
open Lean Meta Elab Command

private def countJson (c : Count) : Json := Json.mkObj [("held", toJson c.held), ("failed", toJson c.failed),
  ("undecided", toJson c.undecided), ("sampled", toJson c.sampled)]

private def truthJson : Truth → Json
  | .no => "no" | .unlikely => "unlikely" | .unknown => "unknown" | .likely => "likely" | .yes => "yes"

private def stateOf (request : Json) : Except String UInt64 := do
  return (← request.getObjValAs? Nat "seed").toUInt64

/-- An instance on which the conclusion fails, as it was drawn and made small. -/
private def failureJson (e : Experiment) (seed : UInt64) (i : Nat) : Json :=
  let n := e.hypotheses.size
  let (t, _) := instanceAt e.run n seed i
  Json.mkObj [("index", toJson i), ("drawn", .str t.text), ("smallest", .str (shrink e.run n t).text)]

private def ofHypothesis (h : Hypothesis) : List (String × Json) := [("binder", toJson h.binder), ("path", .str h.path)]

private def findingsJson (e : Experiment) (seed : UInt64) (f : Findings) : List (String × Json) :=
  let hypotheses := (Array.range e.hypotheses.size).map fun h =>
    Json.mkObj <| ofHypothesis e.hypotheses[h]! ++ [("settled", .bool e.hypotheses[h]!.settled),
      ("found", countJson f.hypotheses[h]!), ("without", countJson f.needs[h]!)]
  let mutants := (Array.range e.mutants.size).map fun m =>
    Json.mkObj [("what", .str e.mutants[m]!), ("distinguished", .bool f.distinguished[m]!), ("upset", .bool f.upset[m]!)]
  let shown := fun i =>
    Json.mkObj [("index", toJson i), ("text", .str (instanceAt e.run e.hypotheses.size seed i).1.text)]
  [("indices", toJson f.indices), ("draws", toJson f.draws), ("accepted", toJson f.accepted),
    ("edge", toJson f.edge), ("out_of_time", .bool f.outOfTime), ("remarks", toJson e.remarks),
    ("hypotheses", .arr hypotheses), ("conclusion", countJson f.conclusion), ("mutants", .arr mutants),
    ("witness", (f.witness.map shown).getD .null), ("doubted", (f.doubted.map shown).getD .null), ("counterexample", (f.failure.map (failureJson e seed)).getD .null)]

/-- One instance: its values by binder, and what its hypotheses and its conclusion come to. -/
private def instanceJson (e : Experiment) (t : Tape) (index : Nat) : List (String × Json) :=
  let hypotheses := (Array.range e.hypotheses.size).map fun h =>
    Json.mkObj <| ofHypothesis e.hypotheses[h]! ++ [("truth", truthJson (t.met.getD h .unknown))]
  [("index", toJson index), ("text", .str t.text), ("values", toJson (t.shown.map (· ()))),
    ("hypotheses", .arr hypotheses), ("conclusion", truthJson (t.decide ()))]

/-- The experiment of a theorem, or what prevents it. -/
private def compiled (name : Name) : TermElabM (Except (List (String × Json)) Experiment) := do
  try
    return .ok (← withoutModifyingEnv (experiment name))
  catch e =>
    let text ← e.toMessageData.toString
    let (constant, why) := (obstacleOf? text).getD (compilerObstacle text)
    return .error [("kind", .str "obstacle"), ("name", .str name.toString), ("constant", .str constant),
      ("why", .str why)]
where
  /-- What Lean's compiler names where a definition has no code. -/
  compilerObstacle (text : String) : String × String :=
    match text.splitOn "depends on '" with
    | _ :: rest :: _ => ((rest.splitOn "'").headD "", "it has no code to run")
    | _ => (name.toString, (((text.splitOn "\n").headD "").take 200).toString)

private def judged (name : Name) (seed : UInt64) (instances most : Nat) : TermElabM (List (String × Json)) := do
  match ← compiled name with
  | .error fields => return fields
  | .ok e =>
    let found ← explore e.run e.hypotheses.size e.mutants.size seed instances most
    return [("kind", .str "judged"), ("name", .str name.toString)] ++ findingsJson e seed found

private def parsed {α : Type} (request : String) (read : Json → Except String α) : CommandElabM α := do
  match Json.parse request >>= read with
  | .ok a => return a
  | .error e => throwError "malformed request: {e}"

/-- The tagged theorem that a request names. -/
private def theoremOf (env : Environment) (request : Json) : Except String Name := do
  let text ← request.getObjValAs? String "name"
  match (tagged env obligationAttr).find? (·.toString == text) with
  | some n => return n
  | none => throw s!"no tagged theorem is called {text}"

/-- Judge the theorems of a request. -/
syntax (name := judgeExactly) "#judge_exactly " str str : command

elab_rules : command
  | `(#judge_exactly $nonce $request) => do
    let nonce := nonce.getString
    liftCoreM noteShipped
    let env ← getEnv
    let (instances, most, asked) ← parsed request.getString fun r => do
      let asked ← (← r.getObjVal? "theorems").getArr?
      return (← r.getObjValAs? Nat "instances", ← r.getObjValAs? Nat "milliseconds",
        ← asked.mapM fun a => return (← theoremOf env a, ← stateOf a))
    for (name, seed) in asked do
      answer nonce (← liftTermElabM (judged name seed instances most))
    answer nonce [("kind", .str "end"), ("count", toJson asked.size)]

/-- Draw one instance again. -/
syntax (name := replayExactly) "#replay_exactly " str str : command

elab_rules : command
  | `(#replay_exactly $nonce $request) => do
    let nonce := nonce.getString
    liftCoreM noteShipped
    let env ← getEnv
    let (name, seed, index) ← parsed request.getString fun r => do
      return (← theoremOf env r, ← stateOf r, ← r.getObjValAs? Nat "index")
    match ← liftTermElabM (compiled name) with
    | .error fields => answer nonce fields
    | .ok e =>
      let n := e.hypotheses.size
      let (t, _) := instanceAt e.run n seed index
      let smallest := if t.refutes n then Json.str (shrink e.run n t).text else .null
      answer nonce ([("kind", .str "instance"), ("name", .str name.toString)] ++ instanceJson e t index ++
        [("remarks", toJson e.remarks), ("smallest", smallest)])
    answer nonce [("kind", .str "end"), ("count", toJson 1)]

/-- The values of one theorem's instances: of those that meet every hypothesis, and of those that were drawn on the way and
violate one. -/
syntax (name := drawExactly) "#draw_exactly " str str : command

elab_rules : command
  | `(#draw_exactly $nonce $request) => do
    let nonce := nonce.getString
    liftCoreM noteShipped
    let env ← getEnv
    let (name, seed, instances, most) ← parsed request.getString fun r => do
      return (← theoremOf env r, ← stateOf r, ← r.getObjValAs? Nat "instances", ← r.getObjValAs? Nat "milliseconds")
    match ← liftTermElabM (compiled name) with
    | .error fields => answer nonce fields
    | .ok e =>
      let n := e.hypotheses.size
      let begun ← IO.monoMsNow
      let mut met := #[]
      let mut others := #[]
      for i in [0:instances] do
        if (← IO.monoMsNow) - begun > most then break
        let (t, before) := instanceAt e.run n seed i
        if t.accepted n then met := met.push (Json.mkObj (instanceJson e t i))
        let more := if 0 < n then (violating? e.run n t (i % n) (streamOf seed i 99)).toArray else #[]
        for d in before ++ more do
          if (d.violated? n).isSome && others.size < instances then
            others := others.push (Json.mkObj (instanceJson e d i))
      answer nonce [("kind", .str "instances"), ("name", .str name.toString), ("met", .arr met),
        ("violating", .arr others), ("remarks", toJson e.remarks)]
    answer nonce [("kind", .str "end"), ("count", toJson 1)]

end Obligations.Exact
