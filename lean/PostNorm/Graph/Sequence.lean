import PostNorm.Graph.Layer

/-! # Sequences of layers, each with its own parameters

`Layer.andThen f g` has the parameters of `f`, then those of `g`.  So a block is composed from its sublayers.

## Main definitions

* `Env.former`, `Env.latter`: the two parts of an environment.
* `Graph.andThen name f g`, `Spec.andThen f g`, `Layer.andThen name f g`: `g` after `f`; the values inside `f` are named
  after `name`. -/

namespace PostNorm
universe u

section
variable {α : Type u} {Φ Ψ : Context} {s t : Shape}

/-- The first entries of a longer environment. -/
def Env.former (σ : Env α (Φ ++ Ψ)) : Env α Φ := (Args.left Φ).pull σ

/-- The last entries of a longer environment. -/
def Env.latter (σ : Env α (Φ ++ Ψ)) : Env α Ψ := (Args.right Φ).pull σ

/-- `g` after `f`, which computes the first input of `g`; each has its own parameters. -/
def Graph.andThen {K : Type u} (name : String) (f : Graph K (s :: Φ) t) (g : Graph K (t :: Ψ) t) :
    Graph K (s :: (Φ ++ Ψ)) t :=
  .letIn name (.call "former" f (.cons .here ((Args.left Φ).map .there)))
    (.call "latter" g (.cons .here ((Args.right Φ).map fun i => .there (.there i))))

/-- `g` after `f`, each with parameters of its own. -/
def Spec.andThen (f : Env α (s :: Φ) → Tensor α t) (g : Env α (t :: Ψ) → Tensor α t)
    (ρ : Env α (s :: (Φ ++ Ψ))) : Tensor α t :=
  g (Env.cons (f (Env.cons ρ.head ρ.tail.former)) ρ.tail.latter)

end

/-- `g` after `f`, each with its own parameters.  It is smooth where `f` is, and `g` at the result of `f`. -/
def Layer.andThen {R : Type u} [RealField R] {Φ Ψ : Context} {s t : Shape} (name : String) (f : Layer R (s :: Φ) t)
    (g : Layer R (t :: Ψ) t) : Layer R (s :: (Φ ++ Ψ)) t where
  graph := f.graph.andThen name g.graph
  formula := Spec.andThen f.formula g.formula
  Smooth ρ := f.Smooth (Env.cons ρ.head ρ.tail.former) ∧
    g.Smooth (Env.cons (f.formula (Env.cons ρ.head ρ.tail.former)) ρ.tail.latter)
  eval_eq ρ := by
    show g.graph.eval (Args.pull _ (Env.cons (f.graph.eval (Args.pull _ ρ)) ρ)) = _
    rw [Args.pull_cons, Args.pull_cons, Args.pull_there, Args.pull_there_there, f.eval_eq, g.eval_eq]
    rfl
  sideConditions_iff ρ := by
    show f.graph.SideConditions (Args.pull _ ρ) ∧
      g.graph.SideConditions (Args.pull _ (Env.cons (f.graph.eval (Args.pull _ ρ)) ρ)) ↔ _
    rw [Args.pull_cons, Args.pull_cons, Args.pull_there, Args.pull_there_there, f.eval_eq, f.sideConditions_iff,
      g.sideConditions_iff]
    exact Iff.rfl

end PostNorm
