import PostNorm.Graph.Derivative

/-! # Linear forms on tensors and environments

## Main statements

* `IsLinearForm.eq_tensor_dot`, `IsLinearForm.eq_env_dot`: a linear form is the inner product with its values at
  the unit vectors.
* `IsLinearForm.dot`: the inner product is a linear form. -/

namespace PostNorm
universe u v w

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

theorem IsLinearForm.map_coordSum {ι : Type v} {F : (ι → R) → R} (h : IsLinearForm F) (s : Shape)
    (f : s.Coord → ι → R) : F (fun i => PostNorm.coordSum s fun c => f c i) = PostNorm.coordSum s fun c => F (f c) := by
  induction s with
  | unit => rfl
  | snoc s n ih =>
    refine (ih fun c i => PostNorm.finSum n fun k => f (c, k) i).trans ?_
    exact congrArg (PostNorm.coordSum s) (funext fun c => h.map_listSum _ fun k => f (c, k))

/-- A linear form is a sum over coordinates: on tensors. -/
theorem IsLinearForm.eq_tensor_dot {s : Shape} {F : Tensor R s → R} (h : IsLinearForm F) (t : Tensor R s) :
    F t = Tensor.dot t fun c => F (Tensor.unit c) := by
  have e : t = fun k => PostNorm.coordSum s fun c => t c * Tensor.unit c k := funext fun k => by
    rw [← coordSum_ite s k t]
    congr 1; funext c
    unfold Tensor.unit
    by_cases hk : k = c
    · rw [if_pos hk, if_pos hk.symm]; grind
    · rw [if_neg hk, if_neg fun e => hk e.symm]; grind
  refine ((congrArg F e).trans (h.map_coordSum s fun c k => t c * Tensor.unit c k)).trans ?_
  exact congrArg (PostNorm.coordSum s) (funext fun c => h.smul _ _)

/-- A linear form is a sum over coordinates: on environments. -/
theorem IsLinearForm.eq_env_dot {Γ : Context} {F : Env R Γ → R} (h : IsLinearForm F) (v : Env R Γ) :
    F v = Env.dot v fun c => F (Env.unit c) := by
  induction Γ with
  | nil =>
    have e : v = fun _ => 0 := funext fun c => nomatch c
    rw [e, h.map_zero]; rfl
  | cons s Γ ih =>
    have h1 : IsLinearForm fun t : Tensor R s => F (Env.cons t fun _ => 0) :=
      h.comp (BoundedLinearMap.cons (BoundedLinearMap.reindex id) BoundedLinearMap.zero)
    have h2 : IsLinearForm fun σ : Env R Γ => F (Env.cons (fun _ => 0) σ) :=
      h.comp (BoundedLinearMap.cons BoundedLinearMap.zero (BoundedLinearMap.reindex id))
    have e : v = fun c => Env.cons v.head (fun _ => 0) c + Env.cons (fun _ => 0) v.tail c := funext fun c => by
      cases c with
      | inl c => show v.head c = v.head c + 0; grind
      | inr c => show v.tail c = 0 + v.tail c; grind
    refine ((congrArg F e).trans (h.add _ _)).trans ?_
    show F _ + F _ = Tensor.dot v.head _ + Env.dot v.tail _
    rw [h1.eq_tensor_dot v.head, ih h2 v.tail]
    rfl

theorem IsLinearForm.dot {s : Shape} (t : Tensor R s) :
    IsLinearForm (ι := s.Coord) (fun d => Tensor.dot t d) :=
  IsLinearForm.coordSum fun c => (IsLinearForm.proj c).mul_left (t c)

end PostNorm
