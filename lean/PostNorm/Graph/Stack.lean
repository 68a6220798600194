import PostNorm.Graph.Compose
import PostNorm.Graph.Notation

/-! # A layer applied any number of times

Each application has its own parameters: a stack of `depth` layers has `depth` copies of the parameters among
its inputs, those of the first layer first.

## Main definitions

* `Context.copies Γ n`: `n` copies of a context, concatenated.
* `Graph.stack g depth`: the layer `g` applied `depth` times; its layers are called `layer0`, `layer1`, ….

## Main statements

* `Graph.eval_stack_succ`: the value of a stack is that of the rest of the stack at the value of its first layer.
* `Graph.stack_sideConditions_succ`: the same for its side conditions; `Graph.stack_sideConditions`: a layer without
  side conditions gives a stack without. -/

namespace PostNorm
universe u v

section
variable {K : Type u}

/-- The first entries of a longer context, as arguments. -/
def Args.left {Δ : Context} : (Γ : Context) → Args (Γ ++ Δ) Γ
  | [] => .nil
  | _ :: Γ => .cons .here ((Args.left Γ).map .there)

/-- The last entries of a longer context, as arguments. -/
def Args.right {Δ : Context} : (Γ : Context) → Args (Γ ++ Δ) Δ
  | [] => Args.id Δ
  | _ :: Γ => (Args.right Γ).map .there

/-- Copies of a context, concatenated. -/
def Context.copies (Γ : Context) : Nat → Context
  | 0 => []
  | n + 1 => Γ ++ Context.copies Γ n

/-- A layer applied `depth` times, each time with its own parameters; the layers' names count from `first`. -/
def Graph.stack {Γ : Context} {s : Shape} (g : Graph K (s :: Γ) s) :
    (depth : Nat) → (first : Nat := 0) → Graph K (s :: Context.copies Γ depth) s
  | 0, _ => .var .here
  | depth + 1, first => .letIn s!"layer{first}" (.call "layer" g (.cons .here ((Args.left Γ).map .there)))
      (.call "rest" (g.stack depth (first + 1)) (.cons .here ((Args.right Γ).map fun i => .there (.there i))))

end

section
variable {α : Type u} {Γ : Context} {s : Shape} {depth : Nat}

/-- The parameters of the first layer. -/
def Env.firstLayer (σ : Env α (Context.copies Γ (depth + 1))) : Env α Γ :=
  (Args.left (Δ := Context.copies Γ depth) Γ).pull σ

/-- The parameters of all layers except the first. -/
def Env.otherLayers (σ : Env α (Context.copies Γ (depth + 1))) : Env α (Context.copies Γ depth) :=
  (Args.right (Δ := Context.copies Γ depth) Γ).pull σ

/-- Some entries of an environment with one more in front. -/
theorem Args.pull_there {Φ Δ : Context} {t : Shape} (as : Args Φ Δ) (ρ : Env α (t :: Φ)) :
    (as.map .there).pull ρ = as.pull ρ.tail := Args.pull_map .there _ ρ.tail ρ fun _ => rfl

theorem Args.pull_there_there {Φ Δ : Context} {t t' : Shape} (as : Args Φ Δ) (ρ : Env α (t' :: t :: Φ)) :
    (as.map fun i => .there (.there i)).pull ρ = as.pull ρ.tail.tail :=
  Args.pull_map (fun i => .there (.there i)) _ ρ.tail.tail ρ fun _ => rfl

variable [Scalar α]

/-- The value of a stack is the value of its other layers at the value of its first layer. -/
theorem Graph.eval_stack_succ (g : Graph α (s :: Γ) s) (first : Nat) (x : Tensor α s)
    (σ : Env α (Context.copies Γ (depth + 1))) :
    (g.stack (depth + 1) first).eval (Env.cons x σ) =
      (g.stack depth (first + 1)).eval (Env.cons (g.eval (Env.cons x σ.firstLayer)) σ.otherLayers) := by
  show (g.stack depth (first + 1)).eval (Args.pull _ (Env.cons (g.eval (Args.pull _ (Env.cons x σ))) _)) = _
  rw [Args.pull_cons, Args.pull_cons, Args.pull_there, Args.pull_there_there]
  rfl

end

variable {R : Type u} [RealField R] {Γ : Context} {s : Shape} {depth : Nat}

/-- The side conditions of a stack are those of its first layer, and those of its other layers at the value of the
first. -/
theorem Graph.stack_sideConditions_succ (g : Graph R (s :: Γ) s) (first : Nat) (x : Tensor R s)
    (σ : Env R (Context.copies Γ (depth + 1))) :
    (g.stack (depth + 1) first).SideConditions (Env.cons x σ) ↔
      g.SideConditions (Env.cons x σ.firstLayer) ∧
        (g.stack depth (first + 1)).SideConditions
          (Env.cons (g.eval (Env.cons x σ.firstLayer)) σ.otherLayers) := by
  show g.SideConditions (Args.pull _ (Env.cons x σ)) ∧ (g.stack depth (first + 1)).SideConditions
    (Args.pull _ (Env.cons (g.eval (Args.pull _ (Env.cons x σ))) _)) ↔ _
  rw [Args.pull_cons, Args.pull_cons, Args.pull_there, Args.pull_there_there]
  exact Iff.rfl

/-- If a layer's side conditions hold everywhere, then so do those of a stack. -/
theorem Graph.stack_sideConditions {g : Graph R (s :: Γ) s} (hLayer : ∀ ρ, g.SideConditions ρ) :
    (depth first : Nat) → (ρ : Env R (s :: Context.copies Γ depth)) → (g.stack depth first).SideConditions ρ
  | 0, _, _ => trivial
  | depth + 1, first, _ => ⟨hLayer _, Graph.stack_sideConditions hLayer depth (first + 1) _⟩

/-- If every operation of a layer is correct everywhere, then so is every operation of a stack. -/
theorem GraphFDerivCorrectAt.stack {g : Graph R (s :: Γ) s} (hLayer : ∀ ρ, GraphFDerivCorrectAt g ρ) :
    (depth first : Nat) → (ρ : Env R (s :: Context.copies Γ depth)) →
      GraphFDerivCorrectAt (g.stack depth first) ρ
  | 0, _, _ => trivial
  | depth + 1, first, _ => ⟨hLayer _, GraphFDerivCorrectAt.stack hLayer depth (first + 1) _⟩

end PostNorm
