import PostNorm.Graph.View

/-! # Contexts, typed indices, arguments

## Main definitions

* `Context`: the shapes of the values in scope, newest first.
* `Idx Γ s`: a reference to a value of shape `s`; a wrong one does not type-check.
* `Args Γ Δ`: a reference into `Γ` for every entry of `Δ`: the arguments of a call. -/

namespace PostNorm

/-- The shapes of the values in scope, newest first. -/
abbrev Context := List Shape

/-- The coordinates of all values in scope. -/
@[reducible] def Context.Coord : Context → Type
  | [] => Empty
  | s :: Γ => s.Coord ⊕ Context.Coord Γ

instance (Γ : Context) : FiniteIndex Γ.Coord := by
  induction Γ with
  | nil => exact (inferInstance : FiniteIndex Empty)
  | cons s Γ ih => exact (inferInstance : FiniteIndex (s.Coord ⊕ Context.Coord Γ))

/-- A reference to a value of shape `s`. -/
inductive Idx : Context → Shape → Type where
  /-- The newest value. -/
  | here {Γ : Context} {s : Shape} : Idx (s :: Γ) s
  /-- A value that is older than the newest. -/
  | there {Γ : Context} {s t : Shape} : Idx Γ s → Idx (t :: Γ) s

/-- The place of a value's coordinates among all coordinates. -/
def Idx.inj : {Γ : Context} → {s : Shape} → Idx Γ s → s.Coord → Γ.Coord
  | _, _, .here, c => .inl c
  | _, _, .there i, c => .inr (i.inj c)

/-- The position that an index stands for, counted from the newest. -/
def Idx.toNat : {Γ : Context} → {s : Shape} → Idx Γ s → Nat
  | _, _, .here => 0
  | _, _, .there i => i.toNat + 1

/-- A reference into `Γ` for every entry of `Δ`: the arguments of a call. -/
inductive Args (Γ : Context) : Context → Type where
  /-- No arguments. -/
  | nil : Args Γ []
  /-- One more argument, in front. -/
  | cons {s : Shape} {Δ : Context} (i : Idx Γ s) (as : Args Γ Δ) : Args Γ (s :: Δ)

/-- The place in `Γ` of each coordinate of the arguments. -/
def Args.inj {Γ : Context} : {Δ : Context} → Args Γ Δ → Δ.Coord → Γ.Coord
  | _, .cons i _, .inl c => i.inj c
  | _, .cons _ as, .inr c => as.inj c

/-- The argument for an entry. -/
def Args.get {Γ : Context} : {Δ : Context} → {s : Shape} → Args Γ Δ → Idx Δ s → Idx Γ s
  | _, _, .cons i _, .here => i
  | _, _, .cons _ as, .there j => as.get j

/-- Rename the references. -/
def Args.map {Γ Γ' : Context} (r : {s : Shape} → Idx Γ s → Idx Γ' s) : {Δ : Context} → Args Γ Δ → Args Γ' Δ
  | _, .nil => .nil
  | _, .cons i as => .cons (r i) (as.map r)

/-- Every value as its own argument. -/
def Args.id : (Γ : Context) → Args Γ Γ
  | [] => .nil
  | _ :: Γ => .cons .here ((Args.id Γ).map .there)

end PostNorm
