import PostNorm.Graph.Scalar
import PostNorm.Graph.Shape

/-! # Sums over coordinates and the inner product of tensors

## Main definitions

* `coordSum s t`: the sum of all entries.
* `Tensor.dot t u`: the inner product.
* `Tensor.unit c`: one at the coordinate `c`, zero elsewhere.

## Main statements

* `Tensor.dot_add`, `Tensor.dot_comm`, `Tensor.unit_dot`.
* `coordSum_finSum`, `coordSum_comm`: the order of summation. -/

namespace PostNorm
universe u
open Lean.Grind

/-- Sum over all coordinates of a shape. -/
def coordSum {α : Type u} [Add α] [Zero α] : (s : Shape) → Tensor α s → α
  | .unit, t => t ()
  | s ▹ n, t => coordSum s fun c => finSum n fun i => t (c, i)

/-- The inner product of two tensors of one shape. -/
def Tensor.dot {α : Type u} [Add α] [Mul α] [Zero α] {s : Shape} (t u : Tensor α s) : α :=
  coordSum s fun c => t c * u c

variable {R : Type u} [RealField R]

theorem coordSum_add (s : Shape) (f g : Tensor R s) :
    coordSum s (fun c => f c + g c) = coordSum s f + coordSum s g := by
  induction s with
  | unit => rfl
  | snoc s n ih => simp only [coordSum, finSum_add]; exact ih _ _

theorem mul_coordSum (s : Shape) (a : R) (f : Tensor R s) :
    a * coordSum s f = coordSum s (fun c => a * f c) := by
  induction s with
  | unit => rfl
  | snoc s n ih => simp only [coordSum, ih, mul_finSum]

theorem coordSum_zero (s : Shape) : coordSum s (fun _ => (0:R)) = 0 := by
  induction s with
  | unit => rfl
  | snoc s n ih => simp only [coordSum, finSum_zero]; exact ih

theorem coordSum_finSum (s : Shape) (n : Nat) (f : s.Coord → Fin n → R) :
    coordSum s (fun c => finSum n (f c)) = finSum n fun i => coordSum s fun c => f c i := by
  induction s with
  | unit => rfl
  | snoc s m ih =>
    simp only [coordSum]
    have e : ∀ c, (finSum m fun i => finSum n (f (c, i))) = finSum n fun k => finSum m fun i => f (c, i) k :=
      fun c => finSum_comm _ _ _
    rw [funext e, ih]

theorem coordSum_comm (s t : Shape) (f : s.Coord → t.Coord → R) :
    coordSum s (fun c => coordSum t (f c)) = coordSum t fun e => coordSum s fun c => f c e := by
  induction t with
  | unit => rfl
  | snoc t n ih =>
    simp only [coordSum]
    rw [ih]
    congr 1; funext e; rw [coordSum_finSum]

theorem coordSum_ite (s : Shape) (k : s.Coord) (f : Tensor R s) :
    coordSum s (fun c => if k = c then f c else 0) = f k := by
  induction s with
  | unit => rfl
  | snoc s n ih =>
    obtain ⟨k, j⟩ := k
    have e : ∀ c, (finSum n fun i => if (k, j) = (c, i) then f (c, i) else 0) =
        if k = c then f (c, j) else 0 := by
      intro c
      by_cases h : k = c
      · subst h
        rw [if_pos rfl, ← finSum_ite n j fun i => f (k, i)]
        congr 1; funext i
        by_cases h : j = i
        · subst h; rw [if_pos rfl, if_pos rfl]
        · rw [if_neg h, if_neg fun e => h (Prod.mk.inj e).2]
      · rw [if_neg h]
        exact listSum_eq_zero _ _ fun i _ => if_neg fun e => h (Prod.mk.inj e).1
    simp only [coordSum, e]
    exact ih k fun c => f (c, j)

theorem Tensor.dot_comm {s : Shape} (t u : Tensor R s) : Tensor.dot t u = Tensor.dot u t := by
  unfold Tensor.dot; congr 1; funext c; exact CommSemiring.mul_comm _ _

theorem Tensor.dot_add {s : Shape} (t u v : Tensor R s) :
    Tensor.dot t (fun c => u c + v c) = Tensor.dot t u + Tensor.dot t v := by
  unfold Tensor.dot; rw [← coordSum_add]; congr 1; funext c; grind

theorem Tensor.dot_zero {s : Shape} (t : Tensor R s) : Tensor.dot t (fun _ => 0) = 0 := by
  have e : (fun c => t c * (0:R)) = fun _ => 0 := funext fun c => by grind
  unfold Tensor.dot; rw [e, coordSum_zero]

theorem Tensor.dot_congr {s : Shape} {t u t' u' : Tensor R s} (h : ∀ c, t c * u c = t' c * u' c) :
    Tensor.dot t u = Tensor.dot t' u' := by
  unfold Tensor.dot; rw [funext h]

theorem Tensor.dot_congr_add {s : Shape} {t u t' u' t'' u'' : Tensor R s}
    (h : ∀ c, t c * u c = t' c * u' c + t'' c * u'' c) :
    Tensor.dot t u = Tensor.dot t' u' + Tensor.dot t'' u'' := by
  unfold Tensor.dot; rw [funext h, coordSum_add]

/-- One at the coordinate `k`, zero elsewhere. -/
noncomputable def Tensor.unit {s : Shape} (k : s.Coord) : Tensor R s := fun c => if k = c then 1 else 0

/-- The inner product with a unit tensor reads off a coordinate. -/
theorem Tensor.unit_dot {s : Shape} (k : s.Coord) (t : Tensor R s) : Tensor.dot (Tensor.unit k) t = t k := by
  have e : (fun c => Tensor.unit k c * t c) = fun c => if k = c then t c else 0 :=
    funext fun c => by unfold Tensor.unit; split <;> grind
  unfold Tensor.dot
  rw [e, coordSum_ite]

end PostNorm
