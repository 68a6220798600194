import PostNorm.Capture.Found

/-! # The equations of values, as hypotheses

The matched values are variables, each with the equation that defines it from earlier ones.

## Main definitions

* `withValues`: variables and equations for all values.
* `placingProof`: that a placing moves entries by its map of places; `halfProof`: that a reading or placing puts
  entries in the front of an axis, or in its back. -/

namespace PostNorm.Capture
open Lean Meta

/-- The right-hand side of a value's equation, at the coordinate `c`. -/
private def equationAt (x : Reader) (values : Array Value) (terms : Array Expr) (number : Nat) (c : Expr) :
    MetaM Expr := do
  let v := values[number]!
  let here := placeOf c v.shape
  let entry (k : Nat) (p : Place) := mkApp terms[k]! (Place.term p)
  let sumOf (n : Nat) (f : Place → Expr) (insert : Ix → Place) : MetaM Expr :=
    withLocalDeclD `l (finE n) fun l => do
      let body ← mkLambdaFVars #[l] (f (insert (.atom l n)))
      mkAppOptM ``finSum #[x.R, none, none, natE n, body]
  match v.kind, here with
  | .input, _ | .mask _, _ => throwError "an input has no equation"
  | .select _ arg mask map, _ =>
    return mkAppN (mkConst ``times [x.level]) #[x.R, x.laws, entry arg here, entry mask (map here)]
  | .layout arg map _, _ => return entry arg (map here)
  | .half inFront arg m map _, j :: rest =>
    withLocalDeclD `l (finE m) fun l => do
      let f ← mkLambdaFVars #[l] (entry arg (map (.atom l m :: rest)))
      return mkAppN (mkConst (if inFront then ``front else ``back) [x.level])
        #[x.R, x.laws, natE m, natE j.length, f, j.term]
  | .half .., _ => throwError "a half has an axis"
  | .map _ f _ arg, _ => return mkApp f (entry arg here)
  | .two _ f l r, _ => return mkApp2 f (entry l here) (entry r here)
  | .sum _ f arg n insert, _ => return mkApp f (← sumOf n (entry arg) (insert here))
  | .product l r n, j :: i :: lead =>
    withLocalDeclD `l (finE n) fun e => do
      let m : Ix := .atom e n
      let body := mkAppN (mkConst ``times [x.level]) #[x.R, x.laws, entry l (m :: i :: lead), entry r (j :: m :: lead)]
      mkAppOptM ``finSum #[x.R, none, none, natE n, ← mkLambdaFVars #[e] body]
  | .product .., _ => throwError "a product has two axes or more"

/-- Tensors of a shape, last axis first. -/
private def tensorE (x : Reader) (s : List Nat) : Expr := mkApp2 (mkConst ``Tensor [x.level]) x.R (shapeE s.reverse)

/-- Variables for all values, and hypotheses with their equations. -/
def withValues {α : Type} [Inhabited α] (x : Reader) (values : Array Value) (k : Sides → MetaM α) : MetaM α :=
  let variables := values.mapIdx fun j v => (Name.mkSimple s!"x{j}", fun _ => pure (tensorE x v.shape))
  withLocalDeclsD variables fun terms => do
    let own := (Array.range values.size).filter fun j => !values[j]!.isInput
    let statement (j : Nat) : MetaM Expr :=
      withLocalDeclD `c (coordE values[j]!.shape) fun c => do
        let right ← equationAt x values terms j c
        mkForallFVars #[c] <| mkApp3 (mkConst ``Eq [.succ x.level]) x.R (mkApp terms[j]! c) right
    withLocalDeclsD (own.map fun j => (Name.mkSimple s!"h{j}", fun _ => statement j)) fun hs => do
      let mut equations := Array.replicate values.size default
      for j in own, h in hs do equations := equations.set! j h
      k { toReader := x, values, terms, equations }

/-- A proof that a placing moves entries by its map of places, for all coordinates. -/
def placingProof (p : Expr) (s t : List Nat) (map : Place → Place) : MetaM Expr := do
  let (sE, tE) := (shapeE s.reverse, shapeE t.reverse)
  withLocalDeclD `c (coordE t) fun c => do
    let e := Place.term (map (placeOf c t))
    let yes := mkApp2 (mkConst ``Eq.refl [1]) (mkConst ``Bool) (mkConst ``Bool.true)
    let proof ← match (← whnf p).getAppFnArgs with
      | (``Placing.transpose, #[perm]) =>
        let places := mkApp2 (mkConst ``Shape.toRev) sE e
        let same := mkApp2 (mkConst ``Eq.refl [1]) (mkApp (mkConst ``List [0]) (mkConst ``Nat)) places
        pure <| mkAppN (mkConst ``transpose_map) #[perm, sE, tE, c, e, same]
      | (``Placing.reshape, _) =>
        let value (s c : Expr) := mkApp2 (mkConst ``Fin.val) (mkApp (mkConst ``Shape.size) s)
          (mkApp2 (mkConst ``Shape.index) s c)
        let goal ← mkFreshExprSyntheticOpaqueMVar <|
          mkApp3 (mkConst ``Eq [1]) (mkConst ``Nat) (value sE e) (value tE c)
        let (left, _) ← Elab.runTactic goal.mvarId! (← `(tactic| same_place))
        unless left.isEmpty do throwError "a reshape from {s} to {t} is not shown to keep the order"
        pure <| mkAppN (mkConst ``reshape_map) #[sE, tE, c, e, ← instantiateMVars goal]
      | (``Placing.place, #[axis, table]) =>
        let some k := (← whnf axis).rawNatLit? <|> axis.nat? | throwError "expected an axis but got {axis}"
        let some n := (← whnf table).rawNatLit? <|> table.nat? | throwError "expected a table but got {table}"
        let offset := (tableEntry (s.reverse.getD k 0) n 0).getD 0
        let inside := ((placeOf c t).reverse.getD k default).term
        let places := mkApp2 (mkConst ``Shape.toRev) sE e
        let same := mkApp2 (mkConst ``Eq.refl [1]) (mkApp (mkConst ``List [0]) (mkConst ``Nat)) places
        let length := t.reverse.getD k 0
        pure <| mkAppN (mkConst ``place_map) #[axis, table, sE, tE, c, e, natE offset, natE length, yes,
          mkApp2 (mkConst ``Fin.isLt) (natE length) inside, same]
      | _ => throwError "expected a placing but the term has {p}"
    mkLambdaFVars #[c] proof

/-- A proof that a reading or placing from `s` to `t` puts the entries of `y` in the front of the last axis, or in its
back, for all coordinates. -/
def halfProof (x : Reader) (inFront : Bool) (source y : Expr) (s t : List Nat) (m : Nat) : MetaM Expr := do
  let yes := mkApp2 (mkConst ``Eq.refl [1]) (mkConst ``Bool) (mkConst ``Bool.true)
  let number (n : Expr) := mkApp2 (mkConst ``Eq.refl [1]) (mkConst ``Nat) n
  withLocalDeclD `c (coordE t) fun c => do
    let proof ← match (← whnfR source).getAppFnArgs with
      | (``secondHalf, #[h, n, d]) =>
        pure <| mkAppN (mkConst ``secondHalf_front [x.level])
          #[x.R, x.laws, natE m, d, h, n, number (natE m), yes, y, c]
      | (``firstHalf, #[h, n, d]) =>
        pure <| mkAppN (mkConst ``firstHalf_back [x.level])
          #[x.R, x.laws, natE m, d, h, n, number (natE m), yes, yes, y, c]
      | (``Placing.place, #[axis, table]) =>
        let (rest, d) := (shapeE s.tail.reverse, t.headD 0)
        let places (s : List Nat) (p : Place) := mkApp2 (mkConst ``Shape.toRev) (shapeE s.reverse) (Place.term p)
        let moved ← withLocalDeclD `l (finE m) fun l => do
          let there := places s (.atom l m :: (placeOf c t).tail)
          mkLambdaFVars #[l] <| mkApp2 (mkConst ``Eq.refl [1]) (mkApp (mkConst ``List [0]) (mkConst ``Nat)) there
        let last := mkApp2 (mkConst ``Fin.val) (natE d) ((placeOf c t).headD default).term
        pure <| mkAppN (mkConst (if inFront then ``placed_front else ``placed_back) [x.level])
          #[x.R, x.laws, natE m, natE d, axis, table, rest, y, c, number (natE m), number last, moved, yes]
      | _ => throwError "no rule for the halves of {source}"
    mkLambdaFVars #[c] proof

end PostNorm.Capture
