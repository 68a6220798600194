import PostNorm.Field.Order

/-! # Finite sums over lists and over `Fin n`

## Main definitions

* `listSum l f`, `finSum n f`: finite sums, for any type with `+` and `0`, so that they are executable.

## Main statements

* `finSum_add`, `mul_finSum`, `finSum_mul`: linearity; `finSum_comm`: the order of summation.
* `finSum_nonneg`, `finSum_pos`: signs; `finSum_ite`: one term is left. -/

namespace PostNorm
universe u v w
open Lean.Grind

/-- The sum of `f` over a list. -/
def listSum {α : Type u} {ι : Type v} [Add α] [Zero α] : List ι → (ι → α) → α
  | [], _ => 0
  | i :: l, f => f i + listSum l f

/-- The sum of `f i` over `i : Fin n`. -/
def finSum {α : Type u} [Add α] [Zero α] (n : Nat) (f : Fin n → α) : α := listSum (List.finRange n) f

variable {R : Type u} [RealField R]

theorem listSum_add {ι : Type v} (l : List ι) (f g : ι → R) :
    listSum l (fun i => f i + g i) = listSum l f + listSum l g := by
  induction l with
  | nil => simp only [listSum]; grind
  | cons a l ih => simp only [listSum, ih]; grind

theorem listSum_mul {ι : Type v} (l : List ι) (c : R) (f : ι → R) :
    listSum l (fun i => c * f i) = c * listSum l f := by
  induction l with
  | nil => simp only [listSum]; grind
  | cons a l ih => simp only [listSum, ih]; grind

theorem listSum_zero {ι : Type v} (l : List ι) : listSum l (fun _ => (0:R)) = 0 := by
  induction l with
  | nil => simp only [listSum]
  | cons a l ih => simp only [listSum, ih]; grind

theorem listSum_comm {ι : Type v} {κ : Type w} (l : List ι) (m : List κ) (f : ι → κ → R) :
    listSum l (fun i => listSum m (f i)) = listSum m (fun k => listSum l (fun i => f i k)) := by
  induction l with
  | nil => simp only [listSum, listSum_zero]
  | cons a l ih => simp only [listSum, ih, listSum_add]

theorem listSum_nonneg {ι : Type v} (l : List ι) (f : ι → R) (h : ∀ i, 0 ≤ f i) : 0 ≤ listSum l f := by
  induction l with
  | nil => simp only [listSum]; grind
  | cons a l ih => simp only [listSum]; have := h a; clear h; grind

theorem listSum_pos {ι : Type v} (l : List ι) (f : ι → R) (hl : l ≠ []) (h : ∀ i, 0 < f i) :
    0 < listSum l f := by
  match l, hl with
  | a :: l, _ =>
    simp only [listSum]
    have h1 := listSum_nonneg l f (fun i => by have := h i; clear h; grind)
    have h2 := h a
    clear h; grind

theorem listSum_eq_zero {ι : Type v} (l : List ι) (f : ι → R) (h : ∀ i ∈ l, f i = 0) :
    listSum l f = 0 := by
  induction l with
  | nil => rfl
  | cons a l ih =>
    have h1 := h a List.mem_cons_self
    have h2 := ih fun i hi => h i (List.mem_cons_of_mem _ hi)
    simp only [listSum, h1, h2]; grind

theorem listSum_ite {ι : Type v} [DecidableEq ι] (l : List ι) (hl : l.Nodup) (k : ι) (hk : k ∈ l)
    (f : ι → R) : listSum l (fun i => if k = i then f i else 0) = f k := by
  induction l with
  | nil => exact absurd hk (List.not_mem_nil)
  | cons a l ih =>
    simp only [listSum]
    obtain ⟨h1, h2⟩ := List.nodup_cons.1 hl
    by_cases h : k = a
    · subst h
      rw [if_pos rfl, listSum_eq_zero l _ fun i hi => if_neg fun (e : k = i) => h1 (e ▸ hi)]; grind
    · rw [if_neg h, ih h2 (by rcases List.mem_cons.1 hk with h' | h'; exact absurd h' h; exact h')]
      grind

theorem finSum_add (n : Nat) (f g : Fin n → R) :
    finSum n (fun i => f i + g i) = finSum n f + finSum n g := listSum_add _ f g

theorem mul_finSum (n : Nat) (c : R) (f : Fin n → R) :
    c * finSum n f = finSum n (fun i => c * f i) := (listSum_mul _ c f).symm

theorem finSum_mul (n : Nat) (c : R) (f : Fin n → R) :
    finSum n f * c = finSum n (fun i => f i * c) := by
  rw [CommSemiring.mul_comm, mul_finSum]; congr 1; funext i; grind

theorem finSum_zero (n : Nat) : finSum n (fun _ => (0:R)) = 0 := listSum_zero _

theorem finSum_comm (m n : Nat) (f : Fin m → Fin n → R) :
    finSum m (fun i => finSum n (f i)) = finSum n (fun k => finSum m (fun i => f i k)) := listSum_comm _ _ f

theorem finSum_nonneg (n : Nat) (f : Fin n → R) (h : ∀ i, 0 ≤ f i) : 0 ≤ finSum n f :=
  listSum_nonneg _ f h

theorem finSum_pos {n : Nat} (hn : 0 < n) (f : Fin n → R) (h : ∀ i, 0 < f i) : 0 < finSum n f :=
  listSum_pos _ f (fun e => by have := congrArg List.length e; simp at this; omega) h

private theorem nodup_finRange (n : Nat) : (List.finRange n).Nodup := by
  induction n with
  | zero => simp
  | succ n ih =>
    rw [List.finRange_succ, List.nodup_cons]
    refine ⟨by simp [Fin.succ_ne_zero], ?_⟩
    exact List.Pairwise.map _ (fun a b h e => h (Fin.succ_inj.1 e)) ih

theorem finSum_ite (n : Nat) (k : Fin n) (f : Fin n → R) :
    finSum n (fun i => if k = i then f i else 0) = f k :=
  listSum_ite _ (nodup_finRange n) k (List.mem_finRange k) f

end PostNorm
