import PostNorm.Graph.Context

/-! # Environments: a tensor for every value in scope

## Main definitions

* `Env α Γ`, `Env.get`, `Env.cons`, notation `env![x, y]`.
* `Env.single i t`: zero except for `t` in slot `i`; `Env.unit c`: zero except for one coordinate.
* `Args.pull`, `Args.push`: read the arguments of a call; send their cotangents back.
* `Env.dot`: the inner product.

## Main statements

* `Args.adjoint`: `push` is the adjoint of `pull`. -/

namespace PostNorm
universe u

/-- A tensor for every entry of the context. -/
abbrev Env (α : Type u) (Γ : Context) : Type u := Γ.Coord → α

section env
variable {α : Type u} {Γ Δ : Context} {s : Shape}

/-- The empty environment. -/
def Env.nil : Env α [] := fun c => nomatch c

/-- The tensor that an index refers to. -/
def Env.get (ρ : Env α Γ) (i : Idx Γ s) : Tensor α s := fun c => ρ (i.inj c)

/-- One more tensor, in front. -/
def Env.cons (t : Tensor α s) (ρ : Env α Γ) : Env α (s :: Γ)
  | .inl c => t c
  | .inr c => ρ c

/-- The tensor in front. -/
def Env.head (ρ : Env α (s :: Γ)) : Tensor α s := fun c => ρ (.inl c)

/-- All tensors except the first. -/
def Env.tail (ρ : Env α (s :: Γ)) : Env α Γ := fun c => ρ (.inr c)

/-- Entry by entry addition. -/
def Env.add [Add α] (ρ σ : Env α Γ) : Env α Γ := fun c => ρ c + σ c

/-- The environment with `t` in slot `i` and zero elsewhere. -/
def Env.single [Zero α] : {Γ : Context} → {s : Shape} → Idx Γ s → Tensor α s → Env α Γ
  | _, _, .here, t => Env.cons t (fun _ => 0)
  | _, _, .there i, t => Env.cons (fun _ => 0) (Env.single i t)

/-- The environment that the arguments pick out. -/
def Args.pull (as : Args Γ Δ) (ρ : Env α Γ) : Env α Δ := fun c => ρ (as.inj c)

/-- Send cotangents of the arguments back, adding up those of an argument used twice. -/
def Args.push [Add α] [Zero α] : {Δ : Context} → Args Γ Δ → Env α Δ → Env α Γ
  | _, .nil, _ => fun _ => 0
  | _, .cons i as, d => (Env.single i d.head).add (as.push d.tail)

/-- The inner product of two environments. -/
def Env.dot {α : Type u} [Add α] [Mul α] [Zero α] : {Γ : Context} → Env α Γ → Env α Γ → α
  | [], _, _ => 0
  | _ :: _, ρ, σ => Tensor.dot (Env.head ρ) (Env.head σ) + Env.dot (Env.tail ρ) (Env.tail σ)

/-- `env![x, y]` is the environment with the tensors `x` and `y`. -/
syntax "env![" term,* "]" : term
macro_rules
  | `(env![]) => `(Env.nil)
  | `(env![$t]) => `(Env.cons $t Env.nil)
  | `(env![$t, $ts,*]) => `(Env.cons $t env![$ts,*])

@[simp] theorem Env.get_here (t : Tensor α s) (ρ : Env α Γ) : (Env.cons t ρ).get .here = t := rfl
@[simp] theorem Env.get_there {t : Shape} (x : Tensor α t) (ρ : Env α Γ) (i : Idx Γ s) :
    (Env.cons x ρ).get (.there i) = ρ.get i := rfl
theorem Env.cons_head_tail (ρ : Env α (s :: Γ)) : Env.cons ρ.head ρ.tail = ρ := by
  funext c; cases c <;> rfl
theorem Args.pull_nil (ρ : Env α Γ) : Args.nil.pull ρ = Env.nil := by
  funext c; exact nomatch c
theorem Args.pull_cons (i : Idx Γ s) (as : Args Γ Δ) (ρ : Env α Γ) :
    (Args.cons i as).pull ρ = Env.cons (ρ.get i) (as.pull ρ) := by
  funext c; cases c <;> rfl

theorem Args.get_pull (as : Args Γ Δ) (i : Idx Δ s) (ρ : Env α Γ) :
    (as.pull ρ).get i = ρ.get (as.get i) := by
  induction i with
  | here => cases as; rfl
  | there i ih => cases as with | cons j as => exact ih as

theorem Args.pull_map {Γ' : Context} (r : {s : Shape} → Idx Γ s → Idx Γ' s) (as : Args Γ Δ)
    (ρ : Env α Γ) (ρ' : Env α Γ') (h : ∀ {s} (i : Idx Γ s), ρ'.get (r i) = ρ.get i) :
    (as.map r).pull ρ' = as.pull ρ := by
  induction as with
  | nil => rw [Args.map, Args.pull_nil, Args.pull_nil]
  | cons i as ih => rw [Args.map, Args.pull_cons, Args.pull_cons, ih, h]

theorem Args.pull_id (ρ : Env α Γ) : (Args.id Γ).pull ρ = ρ := by
  induction Γ with
  | nil => funext c; exact nomatch c
  | cons s Γ ih =>
    rw [Args.id, Args.pull_cons, Args.pull_map .there _ ρ.tail ρ fun i => rfl, ih]
    exact ρ.cons_head_tail

end env

section
variable {R : Type u} [RealField R] {Γ Δ : Context} {s : Shape}

theorem Env.dot_comm {Γ : Context} (ρ σ : Env R Γ) : ρ.dot σ = σ.dot ρ := by
  induction Γ with
  | nil => rfl
  | cons s Γ ih => simp only [Env.dot]; rw [ih, Tensor.dot_comm]

theorem Env.dot_add {Γ : Context} (ρ σ τ : Env R Γ) : ρ.dot (σ.add τ) = ρ.dot σ + ρ.dot τ := by
  induction Γ with
  | nil => simp only [Env.dot]; grind
  | cons s Γ ih =>
    have h := Tensor.dot_add ρ.head σ.head τ.head
    have h' := ih ρ.tail σ.tail τ.tail
    show Tensor.dot ρ.head (fun c => σ.head c + τ.head c) + ρ.tail.dot (σ.tail.add τ.tail) = _
    rw [h, h']; simp only [Env.dot]; grind

theorem Env.dot_zero {Γ : Context} (ρ : Env R Γ) : ρ.dot (fun _ => 0) = 0 := by
  induction Γ with
  | nil => rfl
  | cons s Γ ih =>
    show Tensor.dot ρ.head (fun _ => 0) + ρ.tail.dot (fun _ => 0) = 0
    rw [Tensor.dot_zero, ih]; grind

theorem Env.dot_single {Γ : Context} {s : Shape} (ρ : Env R Γ) (i : Idx Γ s) (t : Tensor R s) :
    ρ.dot (Env.single i t) = Tensor.dot (ρ.get i) t := by
  induction i with
  | here =>
    show Tensor.dot ρ.head t + ρ.tail.dot (fun _ => 0) = Tensor.dot ρ.head t
    rw [Env.dot_zero]; grind
  | there i ih =>
    show Tensor.dot ρ.head (fun _ => 0) + ρ.tail.dot (Env.single i t) = _
    rw [Tensor.dot_zero, ih]
    show 0 + Tensor.dot (Env.get ρ.tail i) t = Tensor.dot (Env.get ρ.tail i) t
    grind

/-- The inner product with one tensor. -/
theorem Env.dot_one (ρ : Env R [s]) (x : Tensor R s) : ρ.dot env![x] = Tensor.dot (ρ.get .here) x := by
  show Tensor.dot (ρ.get .here) x + 0 = _
  grind

/-- The inner product with two tensors. -/
theorem Env.dot_two {t : Shape} (ρ : Env R [s, t]) (x : Tensor R s) (y : Tensor R t) :
    ρ.dot env![x, y] = Tensor.dot (ρ.get .here) x + Tensor.dot (ρ.get (.there .here)) y := by
  show Tensor.dot (ρ.get .here) x + (Tensor.dot (ρ.get (.there .here)) y + 0) = _
  grind

theorem Args.adjoint {Δ : Context} (as : Args Γ Δ) (ρ : Env R Γ) (d : Env R Δ) :
    (as.pull ρ).dot d = ρ.dot (as.push d) := by
  induction as with
  | nil => exact (Env.dot_zero ρ).symm
  | cons i as ih =>
    simp only [Args.push, Env.dot_add, Env.dot_single, ← ih]
    rfl

/-- One at the coordinate `c`, zero elsewhere. -/
noncomputable def Env.unit : {Γ : Context} → Γ.Coord → Env R Γ
  | _ :: _, .inl c => Env.cons (Tensor.unit c) fun _ => 0
  | _ :: _, .inr c => Env.cons (fun _ => 0) (Env.unit c)

/-- The inner product with a unit environment reads off a coordinate. -/
theorem Env.unit_dot {Γ : Context} (c : Γ.Coord) (σ : Env R Γ) : (Env.unit c).dot σ = σ c := by
  induction Γ with
  | nil => exact nomatch c
  | cons s Γ ih =>
    match c with
    | .inl c =>
      show Tensor.dot (Tensor.unit c) σ.head + Env.dot (fun _ => 0) σ.tail = σ.head c
      rw [Env.dot_comm, Env.dot_zero, Tensor.unit_dot]
      grind
    | .inr c =>
      show Tensor.dot (fun _ => 0) σ.head + Env.dot (Env.unit c) σ.tail = σ.tail c
      rw [Tensor.dot_comm, Tensor.dot_zero, ih]
      grind

end
end PostNorm
