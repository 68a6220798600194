import PostNorm.Capture.Sign

/-! # Signs of the operations

For each operation: which side condition its argument's sign discharges, and what is known about its value's sign.
A rule whose name ends in `Asks` leaves a demand.

`Capture/Term.lean` relies on the order of the arguments of these rules. -/

namespace PostNorm.Graph.Sound
universe u
open RealField Lean.Grind

section
variable {R : Type u} [RealField R] {Γ : Context} {S : Signs Γ} {s : Shape} {i j : Idx Γ s}

private theorem at_least {σ : Sign} (h : (S.get i).atLeast σ = true) {ρ : Env R Γ} (hS : S.Hold ρ) (c : s.Coord) :
    σ.Holds (ρ.get i c) := (hS i c).weaken h

theorem add : (Graph.op (Op.add i j) : Graph R Γ s).Sound S .any [] := fun _ _ _ => ⟨trivial, fun _ => trivial⟩

theorem addNonneg (hi : (S.get i).atLeast .nonneg = true) (hj : (S.get j).atLeast .nonneg = true) :
    (Graph.op (Op.add i j) : Graph R Γ s).Sound S .nonneg [] := fun ρ hS _ => ⟨trivial, fun c => by
  have h1 : 0 ≤ ρ.get i c := at_least hi hS c
  have h2 : 0 ≤ ρ.get j c := at_least hj hS c
  show 0 ≤ ρ.get i c + ρ.get j c
  grind⟩

theorem addPosLeft (hi : (S.get i).atLeast .pos = true) (hj : (S.get j).atLeast .nonneg = true) :
    (Graph.op (Op.add i j) : Graph R Γ s).Sound S .pos [] := fun ρ hS _ => ⟨trivial, fun c => by
  have h1 : 0 < ρ.get i c := at_least hi hS c
  have h2 : 0 ≤ ρ.get j c := at_least hj hS c
  show 0 < ρ.get i c + ρ.get j c
  grind⟩

theorem addPosRight (hi : (S.get i).atLeast .nonneg = true) (hj : (S.get j).atLeast .pos = true) :
    (Graph.op (Op.add i j) : Graph R Γ s).Sound S .pos [] := fun ρ hS _ => ⟨trivial, fun c => by
  have h1 : 0 ≤ ρ.get i c := at_least hi hS c
  have h2 : 0 < ρ.get j c := at_least hj hS c
  show 0 < ρ.get i c + ρ.get j c
  grind⟩

theorem sub : (Graph.op (Op.sub i j) : Graph R Γ s).Sound S .any [] := fun _ _ _ => ⟨trivial, fun _ => trivial⟩

theorem mul : (Graph.op (Op.mul i j) : Graph R Γ s).Sound S .any [] := fun _ _ _ => ⟨trivial, fun _ => trivial⟩

theorem square : (Graph.op (Op.mul i i) : Graph R Γ s).Sound S .nonneg [] := fun ρ _ _ =>
  ⟨trivial, fun c => mul_self_nonneg (ρ.get i c)⟩

theorem mulNonneg (hi : (S.get i).atLeast .nonneg = true) (hj : (S.get j).atLeast .nonneg = true) :
    (Graph.op (Op.mul i j) : Graph R Γ s).Sound S .nonneg [] := fun _ hS _ =>
  ⟨trivial, fun c => mul_nonneg (at_least hi hS c) (at_least hj hS c)⟩

theorem mulPos (hi : (S.get i).atLeast .pos = true) (hj : (S.get j).atLeast .pos = true) :
    (Graph.op (Op.mul i j) : Graph R Γ s).Sound S .pos [] := fun _ hS _ =>
  ⟨trivial, fun c => mul_pos (at_least hi hS c) (at_least hj hS c)⟩

theorem exp : (Graph.op (Op.exp i) : Graph R Γ s).Sound S .pos [] := fun ρ _ _ =>
  ⟨fun _ => trivial, fun c => exp_pos (ρ.get i c)⟩

theorem tanh : (Graph.op (Op.tanh i) : Graph R Γ s).Sound S .any [] := fun _ _ _ =>
  ⟨fun _ => trivial, fun _ => trivial⟩

theorem sigmoid : (Graph.op (Op.sigmoid i) : Graph R Γ s).Sound S .pos [] := fun ρ _ _ =>
  ⟨fun _ => trivial, fun c => inv_pos (show 0 < 1 + RealField.exp (-ρ.get i c) by
    have := exp_pos (-ρ.get i c); grind)⟩

theorem normalCdf : (Graph.op (Op.normalCdf i) : Graph R Γ s).Sound S .pos [] := fun ρ _ _ =>
  ⟨fun _ => trivial, fun c => normalCdf_pos (ρ.get i c)⟩

theorem inv (h : (S.get i).atLeast .pos = true) : (Graph.op (Op.inv i) : Graph R Γ s).Sound S .pos [] :=
  fun _ hS _ => ⟨fun c => pos_ne_zero (at_least h hS c), fun c => inv_pos (at_least h hS c)⟩

theorem invAsks : (Graph.op (Op.inv i) : Graph R Γ s).Sound S .any [⟨.nonzero, .var i⟩] :=
  fun _ _ hq => ⟨hq.1, fun _ => trivial⟩

theorem sqrt (h : (S.get i).atLeast .pos = true) : (Graph.op (Op.sqrt i) : Graph R Γ s).Sound S .pos [] :=
  fun _ hS _ => ⟨fun c => at_least h hS c, fun c => sqrtClamp_pos (at_least h hS c)⟩

theorem sqrtAsks : (Graph.op (Op.sqrt i) : Graph R Γ s).Sound S .pos [⟨.positive, .var i⟩] :=
  fun _ _ hq => ⟨hq.1, fun c => sqrtClamp_pos (hq.1 c)⟩

theorem log (h : (S.get i).atLeast .pos = true) : (Graph.op (Op.log i) : Graph R Γ s).Sound S .any [] :=
  fun _ hS _ => ⟨fun c => at_least h hS c, fun _ => trivial⟩

theorem logAsks : (Graph.op (Op.log i) : Graph R Γ s).Sound S .any [⟨.positive, .var i⟩] :=
  fun _ _ hq => ⟨hq.1, fun _ => trivial⟩

theorem relu (h : (S.get i).atLeast .pos = true) : (Graph.op (Op.relu i) : Graph R Γ s).Sound S .pos [] :=
  fun ρ hS _ => ⟨fun c => pos_ne_zero (at_least h hS c), fun c => by
    have h1 : 0 < ρ.get i c := at_least h hS c
    show 0 < bif decide (0 < ρ.get i c) then ρ.get i c else 0
    rw [decide_eq_true h1]
    exact h1⟩

theorem reluAsks : (Graph.op (Op.relu i) : Graph R Γ s).Sound S .nonneg [⟨.nonzero, .var i⟩] :=
  fun ρ _ hq => ⟨hq.1, fun c => by
    show 0 ≤ bif decide (0 < ρ.get i c) then ρ.get i c else 0
    cases h : decide (0 < ρ.get i c) with
    | false => exact Std.le_refl 0
    | true => exact Std.le_of_lt (of_decide_eq_true h)⟩

theorem scale {k : R} : (Graph.op (Op.scale k i) : Graph R Γ s).Sound S .any [] :=
  fun _ _ _ => ⟨fun _ => trivial, fun _ => trivial⟩

theorem scaleKeeps {k : R} {σ : Sign} (hk : 0 < k) (h : S.get i = σ) :
    (Graph.op (Op.scale k i) : Graph R Γ s).Sound S σ [] := fun ρ hS _ => ⟨fun _ => trivial, fun c => by
  have hx : σ.Holds (ρ.get i c) := h ▸ hS i c
  show σ.Holds (k * ρ.get i c)
  cases σ with
  | any => exact trivial
  | nonneg => exact mul_nonneg (Std.le_of_lt hk) hx
  | pos => exact mul_pos hk hx⟩

theorem addConst {k : R} : (Graph.op (Op.addConst k i) : Graph R Γ s).Sound S .any [] :=
  fun _ _ _ => ⟨fun _ => trivial, fun _ => trivial⟩

theorem addConstPos {k : R} (hk : 0 < k) (h : (S.get i).atLeast .nonneg = true) :
    (Graph.op (Op.addConst k i) : Graph R Γ s).Sound S .pos [] := fun _ hS _ =>
  ⟨fun _ => trivial, fun c => add_pos_of_nonneg_of_pos (at_least h hS c) hk⟩

end

section
attribute [local instance] Semiring.natCast
variable {R : Type u} [RealField R] {Γ : Context} {S : Signs Γ} {s t : Shape} {i : Idx Γ s}

theorem view {v : View s t} {σ : Sign} (h : S.get i = σ) : (Graph.op (Op.view v i) : Graph R Γ t).Sound S σ [] :=
  fun _ hS _ => ⟨trivial, fun c => h ▸ hS i (v.map c)⟩

theorem placed {p : Placing} : (Graph.op (Op.placed p i) : Graph R Γ t).Sound S .any [] :=
  fun _ _ _ => ⟨trivial, fun _ => trivial⟩

theorem placedNonneg {p : Placing} (h : (S.get i).atLeast .nonneg = true) :
    (Graph.op (Op.placed p i) : Graph R Γ t).Sound S .nonneg [] := fun ρ hS _ => ⟨trivial, fun c => by
  show 0 ≤ (p.map s t c).elim 0 (ρ.get i)
  cases p.map s t c with
  | none => exact Std.le_refl 0
  | some k => exact (hS i k).weaken h⟩

private theorem keeps_sum {n : Nat} {σ : Sign} (hn : Nat.ble 1 n = true) {f : Fin n → R} (h : ∀ k, σ.Holds (f k)) :
    σ.Holds (finSum n f) := by
  cases σ with
  | any => exact trivial
  | nonneg => exact finSum_nonneg n f h
  | pos => exact finSum_pos (Nat.le_of_ble_eq_true hn) f h

private theorem ofNat_pos {n : Nat} (hn : Nat.ble 1 n = true) : (0 : R) < Scalar.ofNat n := by
  cases n with
  | zero => exact absurd hn nofun
  | succ n =>
    show (0 : R) < ((n + 1 : Nat) : R)
    rw [Semiring.natCast_succ]
    have := natCast_nonneg (R := R) n
    grind

private theorem keeps_mean {n : Nat} {σ : Sign} (hn : Nat.ble 1 n = true) {x : R} (h : σ.Holds x) :
    σ.Holds ((Scalar.ofNat n)⁻¹ * x) := by
  have hpos : (0 : R) < Scalar.ofNat n := ofNat_pos hn
  cases σ with
  | any => exact trivial
  | nonneg => exact mul_nonneg (Std.le_of_lt (inv_pos hpos)) h
  | pos => exact mul_pos (inv_pos hpos) h

theorem sumAlong {n : Nat} {a : Axis n s t} {σ : Sign} (hn : Nat.ble 1 n = true) (h : S.get i = σ) :
    (Graph.op (Op.sumAlong a i) : Graph R Γ t).Sound S σ [] := fun _ hS _ =>
  ⟨trivial, fun c => keeps_sum hn fun k => h ▸ hS i (a.insert c k)⟩

theorem meanAlong {n : Nat} {a : Axis n s t} {σ : Sign} (hn : Nat.ble 1 n = true) (h : S.get i = σ) :
    (Graph.op (Op.meanAlong a i) : Graph R Γ t).Sound S σ [] := fun _ hS _ =>
  ⟨trivial, fun c => keeps_mean hn (keeps_sum hn fun k => h ▸ hS i (a.insert c k))⟩

end

section
variable {R : Type u} [RealField R] {Γ : Context} {S : Signs Γ} {s : Shape} {n : Nat} {i : Idx Γ (s ▹ n)}

theorem sum {σ : Sign} (hn : Nat.ble 1 n = true) (h : S.get i = σ) :
    (Graph.op (Op.sum i) : Graph R Γ s).Sound S σ [] := fun _ hS _ =>
  ⟨trivial, fun c => keeps_sum hn fun k => h ▸ hS i (c, k)⟩

theorem mean {σ : Sign} (hn : Nat.ble 1 n = true) (h : S.get i = σ) :
    (Graph.op (Op.mean i) : Graph R Γ s).Sound S σ [] := fun _ hS _ =>
  ⟨trivial, fun c => keeps_mean hn (keeps_sum hn fun k => h ▸ hS i (c, k))⟩

theorem matmul {m k : Nat} {i : Idx Γ (s ▹ m ▹ k)} {j : Idx Γ (s ▹ k ▹ n)} :
    (Graph.op (Op.matmul i j) : Graph R Γ (s ▹ m ▹ n)).Sound S .any [] := fun _ _ _ => ⟨trivial, fun _ => trivial⟩

end
end PostNorm.Graph.Sound
