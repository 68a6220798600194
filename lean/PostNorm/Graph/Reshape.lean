import PostNorm.Graph.Tensor

/-! # Row-major order: cutting an axis into pieces

## Main definitions

* `flat i j`: the place of entry `j` of piece `i`, when an axis of length `h * d` is cut into `h` pieces.
* `unflat`: its inverse.

## Main statements

* `finSum_flat`: a sum over `h * d` entries is a sum over `h` pieces. -/

namespace PostNorm
universe u

/-- The row-major place of `(i, j)`: how a row of length `h * d` is cut into `h` pieces of length `d`. -/
def flat {h d : Nat} (i : Fin h) (j : Fin d) : Fin (h * d) :=
  ⟨i * d + j, by
    have h1 : (i + 1) * d ≤ h * d := Nat.mul_le_mul_right d i.2
    have h2 : ((i : Nat) + 1) * d = i * d + d := Nat.succ_mul _ _
    omega⟩

/-- Which piece, and which entry of it. -/
def unflat {h d : Nat} (k : Fin (h * d)) : Fin h × Fin d :=
  have hd : 0 < d := Nat.pos_of_ne_zero fun e => by subst e; exact absurd k.2 (by simp)
  (⟨k / d, (Nat.div_lt_iff_lt_mul hd).2 k.2⟩, ⟨k % d, Nat.mod_lt _ hd⟩)

theorem unflat_flat {h d : Nat} (i : Fin h) (j : Fin d) : unflat (flat i j) = (i, j) := by
  have hd : 0 < d := Nat.lt_of_le_of_lt (Nat.zero_le _) j.2
  simp only [unflat, flat, Prod.mk.injEq, Fin.ext_iff]
  constructor
  · show ((i : Nat) * d + j) / d = i
    rw [Nat.mul_comm, Nat.mul_add_div hd, Nat.div_eq_of_lt j.2]; rfl
  · show ((i : Nat) * d + j) % d = j
    rw [Nat.mul_comm, Nat.mul_add_mod, Nat.mod_eq_of_lt j.2]

theorem flat_unflat {h d : Nat} (k : Fin (h * d)) : flat (unflat k).1 (unflat k).2 = k := by
  apply Fin.ext
  show (k : Nat) / d * d + k % d = k
  rw [Nat.mul_comm]; exact Nat.div_add_mod _ _

/-- A sum over `h * d` entries is a sum over `h` pieces of `d` entries. -/
theorem finSum_flat {R : Type u} [RealField R] {h d : Nat} (f : Fin (h * d) → R) :
    finSum (h * d) f = finSum h fun i => finSum d fun j => f (flat i j) := by
  have e : ∀ k, f k = coordSum ⟦h, d⟧ fun c =>
      if (((), (unflat k).1), (unflat k).2) = c then f (flat c.1.2 c.2) else 0 := fun k => by
    rw [coordSum_ite ⟦h, d⟧ (((), (unflat k).1), (unflat k).2) fun c => f (flat c.1.2 c.2)]
    simp only [flat_unflat]
  refine ((congrArg (finSum (h * d)) (funext e)).trans (coordSum_finSum ⟦h, d⟧ (h * d) _).symm).trans ?_
  show coordSum ⟦h, d⟧ _ = coordSum ⟦h, d⟧ fun c => f (flat c.1.2 c.2)
  congr 1; funext c
  obtain ⟨⟨⟨⟩, i⟩, j⟩ := c
  refine Eq.trans ?_ (finSum_ite (h * d) (flat i j) f)
  congr 1; funext k
  by_cases hk : flat i j = k
  · subst hk; rw [if_pos rfl, unflat_flat, if_pos rfl]
  · rw [if_neg hk, if_neg]
    intro e
    simp only [Prod.mk.injEq, true_and] at e
    exact hk (by rw [← e.1, ← e.2, flat_unflat])

end PostNorm
