import PostNorm.Graph.Primitive

/-! # Linear forms on tensors and environments

## Main statements

* `IsLinearForm.eq_tensor_dot`, `IsLinearForm.eq_env_dot`: a linear form is the inner product with its values at
  the unit vectors.
* `IsLinearForm.dot`: the inner product is a linear form. -/

namespace PostNorm
universe u v w
open Lean.Grind

variable {R : Type u} [RealField R]

theorem IsLinearForm.map_zero {ι : Type v} {F : (ι → R) → R} (h : IsLinearForm F) : F (fun _ => 0) = 0 := by
  have e := h.smul 0 (fun _ => 0)
  have e' : (fun _ : ι => (0 : R) * 0) = fun _ => 0 := funext fun _ => by grind
  rw [e'] at e
  clear h e'; grind

theorem IsLinearForm.map_listSum {ι : Type v} {κ : Type w} {F : (ι → R) → R} (h : IsLinearForm F)
    (l : List κ) (f : κ → ι → R) :
    F (fun i => PostNorm.listSum l fun k => f k i) = PostNorm.listSum l fun k => F (f k) := by
  induction l with
  | nil => exact h.map_zero
  | cons a l ih =>
    simp only [PostNorm.listSum]
    rw [← ih]
    exact h.add (f a) fun i => PostNorm.listSum l fun k => f k i

/-- A linear form is a sum over coordinates: on tensors. -/
theorem IsLinearForm.eq_tensor_dot {s : Shape} {F : Tensor R s → R} (h : IsLinearForm F) (t : Tensor R s) :
    F t = Tensor.dot t fun c => F (Tensor.unit c) := by
  induction s with
  | unit =>
    have e : t = fun c => t () * Tensor.unit () c := funext fun c => by
      show t c = t () * (if () = c then 1 else 0)
      rw [if_pos rfl]; grind
    show F t = t () * F (Tensor.unit ())
    rw [← h.smul]; exact congrArg F e
  | snoc s n ih =>
    let embed (i : Fin n) (u : Tensor R s) : Tensor R (s ▹ n) := fun c => if i = c.2 then u c.1 else 0
    have hG : ∀ i, IsLinearForm fun u => F (embed i u) := fun i => by
      obtain ⟨C, h0, hC⟩ := h.bounded
      refine ⟨fun x y => ?_, fun c x => ?_, C, h0, fun r u hr hb => hC r _ hr fun c => ?_⟩
      · rw [← h.add]; congr 1; funext c
        show (if i = c.2 then x c.1 + y c.1 else 0) =
          (if i = c.2 then x c.1 else 0) + if i = c.2 then y c.1 else 0
        split <;> grind
      · rw [← h.smul]; congr 1; funext k
        show (if i = k.2 then c * x k.1 else 0) = c * if i = k.2 then x k.1 else 0
        split <;> grind
      · show Within r (if i = c.2 then u c.1 else 0)
        split
        · exact hb _
        · exact Within.zero hr
    have e : t = fun c => finSum n fun i => embed i (fun c => t (c, i)) c := funext fun c => by
      have := finSum_ite n c.2 fun i => t (c.1, i)
      show t c = finSum n fun i => if i = c.2 then t (c.1, i) else 0
      rw [← show (fun i => if c.2 = i then t (c.1, i) else 0) =
          fun i => if i = c.2 then t (c.1, i) else 0 from
        funext fun i => by
          by_cases hi : c.2 = i
          · rw [if_pos hi, if_pos hi.symm]
          · rw [if_neg hi, if_neg fun e => hi e.symm], this]
    have hu : ∀ c i, embed i (Tensor.unit c) = Tensor.unit (c, i) := fun c i => funext fun k => by
      show (if i = k.2 then (if c = k.1 then (1:R) else 0) else 0) = if (c, i) = k then 1 else 0
      by_cases h1 : i = k.2 <;> by_cases h2 : c = k.1 <;> simp [h1, h2, Prod.ext_iff]
    have e2 : F t = finSum n fun i => F (embed i fun c => t (c, i)) :=
      (congrArg F e).trans (h.map_listSum _ _)
    have e3 : ∀ i, F (embed i fun c => t (c, i)) =
        PostNorm.coordSum s fun c => t (c, i) * F (Tensor.unit (c, i)) := fun i => by
      have e4 := ih (hG i) fun c => t (c, i)
      refine Eq.trans e4 ?_
      unfold Tensor.dot
      simp only [hu]
    rw [e2, funext e3]
    exact (coordSum_finSum s n _).symm

/-- A linear form is a sum over coordinates: on environments. -/
theorem IsLinearForm.eq_env_dot {Γ : Context} {F : Env R Γ → R} (h : IsLinearForm F) (v : Env R Γ) :
    F v = Env.dot v fun c => F (Env.unit c) := by
  induction Γ with
  | nil =>
    have e : v = fun _ => 0 := funext fun c => nomatch c
    rw [e, h.map_zero]; rfl
  | cons s Γ ih =>
    obtain ⟨C, h0, hC⟩ := h.bounded
    have h1 : IsLinearForm fun t : Tensor R s => F (Env.cons t fun _ => 0) := by
      refine ⟨fun x y => ?_, fun c x => ?_, C, h0, fun r u hr hb => hC r _ hr fun c => ?_⟩
      · rw [← h.add]; congr 1; funext c
        cases c with
        | inl c => rfl
        | inr c => show (0:R) = 0 + 0; grind
      · rw [← h.smul]; congr 1; funext k
        cases k with
        | inl k => rfl
        | inr k => show (0:R) = c * 0; grind
      · cases c with
        | inl c => exact hb c
        | inr c => exact Within.zero hr
    have h2 : IsLinearForm fun σ : Env R Γ => F (Env.cons (fun _ => 0) σ) := by
      refine ⟨fun x y => ?_, fun c x => ?_, C, h0, fun r u hr hb => hC r _ hr fun c => ?_⟩
      · rw [← h.add]; congr 1; funext c
        cases c with
        | inl c => show (0:R) = 0 + 0; grind
        | inr c => rfl
      · rw [← h.smul]; congr 1; funext k
        cases k with
        | inl k => show (0:R) = c * 0; grind
        | inr k => rfl
      · cases c with
        | inl c => exact Within.zero hr
        | inr c => exact hb c
    have e : v = fun c => Env.cons v.head (fun _ => 0) c + Env.cons (fun _ => 0) v.tail c := funext fun c => by
      cases c with
      | inl c => show v.head c = v.head c + 0; grind
      | inr c => show v.tail c = 0 + v.tail c; grind
    refine (congrArg F e).trans ((h.add _ _).trans ?_)
    have t1 := h1.eq_tensor_dot v.head
    have t2 := ih h2 v.tail
    show F _ + F _ = Tensor.dot v.head _ + Env.dot v.tail _
    rw [t1, t2]
    rfl

theorem IsLinearForm.dot {s : Shape} (t : Tensor R s) :
    IsLinearForm (ι := s.Coord) (fun d => Tensor.dot t d) :=
  IsLinearForm.coordSum fun c => (IsLinearForm.proj c).mul_left (t c)

end PostNorm
