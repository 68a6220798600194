import PostNorm.Graph.Env
import PostNorm.Run.Buffer

/-! # Environments stored in arrays

## Main definitions

* `Store α Γ`: a stored tensor for every value in scope; `Store.env`, `Store.ofEnv`.
* `Store.at`, `Args.store`: read one value; read the arguments of a call.

## Main statements

* `Store.env_ofEnv`, `Store.get_at`, `Args.env_store`: storing changes nothing. -/

namespace PostNorm
universe u

/-- A stored tensor for every entry of the context. -/
inductive Store (α : Type u) : Context → Type u where
  /-- The empty store. -/
  | nil : Store α []
  /-- One more stored tensor, in front. -/
  | cons {s : Shape} {Γ : Context} (b : Buffer α s) (σ : Store α Γ) : Store α (s :: Γ)

variable {α : Type u} {Γ : Context} {s : Shape}

/-- The stored tensors, as an environment. -/
def Store.env : {Γ : Context} → Store α Γ → Env α Γ
  | _, .nil => Env.nil
  | _, .cons b σ => Env.cons b.get σ.env

/-- Compute every entry of an environment once, and store it. -/
def Store.ofEnv : {Γ : Context} → Env α Γ → Store α Γ
  | [], _ => .nil
  | _ :: _, ρ => .cons (Buffer.ofTensor ρ.head) (Store.ofEnv ρ.tail)

/-- Storing an environment does not change it. -/
@[simp] theorem Store.env_ofEnv (ρ : Env α Γ) : (Store.ofEnv ρ).env = ρ := by
  induction Γ with
  | nil => funext c; exact nomatch c
  | cons s Γ ih => simp only [Store.ofEnv, Store.env, Buffer.get_ofTensor, ih, Env.cons_head_tail]

/-- The stored tensor in front. -/
def Store.head : Store α (s :: Γ) → Buffer α s
  | .cons b _ => b

/-- All stored tensors except the first. -/
def Store.tail : Store α (s :: Γ) → Store α Γ
  | .cons _ σ => σ

theorem Store.get_head (σ : Store α (s :: Γ)) : σ.head.get = σ.env.head := by cases σ; rfl

theorem Store.env_tail (σ : Store α (s :: Γ)) : σ.tail.env = σ.env.tail := by cases σ; rfl

/-- The stored tensor that an index refers to. -/
def Store.at : {Γ : Context} → {s : Shape} → Store α Γ → Idx Γ s → Buffer α s
  | _, _, .cons b _, .here => b
  | _, _, .cons _ σ, .there i => σ.at i

@[simp] theorem Store.get_at (σ : Store α Γ) (i : Idx Γ s) : (σ.at i).get = σ.env.get i := by
  induction i with
  | here => cases σ; rfl
  | there i ih => cases σ; exact ih _

/-- The stored arguments of a call; nothing is copied. -/
def Args.store (σ : Store α Γ) : {Δ : Context} → Args Γ Δ → Store α Δ
  | _, .nil => .nil
  | _, .cons i as => .cons (σ.at i) (as.store σ)

@[simp] theorem Args.env_store {Δ : Context} (σ : Store α Γ) (as : Args Γ Δ) :
    (as.store σ).env = as.pull σ.env := by
  induction as with
  | nil => rw [Args.pull_nil]; rfl
  | cons i as ih => simp only [Args.store, Store.env, Store.get_at, ih, Args.pull_cons]

/-- The arrays, newest value first. -/
def Store.arrays : {Γ : Context} → Store α Γ → List (Array α)
  | _, .nil => []
  | _, .cons b σ => b.data :: σ.arrays

end PostNorm
