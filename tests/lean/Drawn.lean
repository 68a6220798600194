import Obligations

/-! Theorems that Lean itself judges on instances: true ones, and some whose proofs were put off. -/

namespace Drawn

/-- Shares of a whole. -/
structure Shares (n : Nat) where
  share : Fin n → Rat
  nonneg : ∀ i, 0 ≤ share i
  total : (List.finRange n).foldl (fun s i => s + share i) 0 = 1

/-- How a layer runs. -/
inductive Mode where
  | train | eval

section
variable {k : Rat} (p : {r : Rat // 0 < r})

/-- Scaled by a positive number. -/
def scaled (k : Rat) (p : {r : Rat // 0 < r}) : Rat := k * p.val

/-- Scaling keeps the sign. -/
@[obligation] theorem scaled_pos (hk : 0 < k) : 0 < scaled k p := Rat.mul_pos hk p.property
end

/-- The part of a number below zero is cut off. -/
def relu (m : Mode) (x : Rat) : Rat := if x < 0 then (match m with | .train => x * (1 / 8) | .eval => 0) else x

/-- Cutting off does not grow a positive number. -/
@[obligation] theorem relu_le (m : Mode) (x c : Rat) (hx : x ≤ c) (hc : 0 ≤ c) : relu m x ≤ c := by
  unfold relu
  cases m <;> simp only <;> split <;> grind

/-- Put off, and false at the edge alone: the instances must meet `x = c`. -/
@[obligation] theorem edge (x c : Rat) (hx : x ≤ c) : x < c ∨ c < 77 := by sorry

/-- Shares are not above one. -/
@[obligation] theorem share_le {n : Nat} (s : Shares n) (i : Fin n) (hn : 0 < n) : s.share i ≤ 1 := by sorry

/-- An index within its bounds. -/
@[obligation] theorem get_mem {α : Type} [DecidableEq α] (xs : List α) (i : Nat) (h : i < xs.length) :
    xs[i] ∈ xs := List.getElem_mem h

/-- Nothing upsets it. -/
@[obligation] theorem blind (n : Nat) (hn : 3 < n) : 0 ≤ n := Nat.zero_le n

/-- Nothing meets its hypotheses. -/
@[obligation] theorem never (n : Nat) (hLow : n < 3) (hHigh : 7 < n) : n = 5 := by omega

/-- Nothing computes it. -/
noncomputable def chosen (n : Nat) : Nat := Classical.choose (⟨n, rfl⟩ : ∃ m, m = n)

/-- Outside of what can be drawn. -/
@[obligation] theorem chosen_eq (n : Nat) (hn : 0 < n) : chosen n = n := by sorry

end Drawn
