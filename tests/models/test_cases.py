"""Models that people were misled about: each right one passes, each wrong one does not, regardless
of what Lean says about the graphs that they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import InvalidInputError
from bridge.models import read_model
from bridge.verdict import Verdict
from tests.models.library import accepting, judged, section

torch: Any = pytest.importorskip(
    "torch", reason="torch is not installed: `pip install torch` to audit torch modules"
)
nn, F = torch.nn, torch.nn.functional
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, of torch.jit
WIDTH, HEADS, INNER = 16, 2, 24


class Unfused(nn.TransformerEncoderLayer):
    """PyTorch's layer, whose fused path has no tanh-GELU; here it is never taken."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.activation_relu_or_gelu = 0


def part(kind: Any = Unfused, **more: Any) -> Any:
    torch.manual_seed(0)
    options = {"batch_first": True, "dropout": 0.0, **more}
    options.setdefault("activation", nn.GELU(approximate="tanh"))
    return kind(WIDTH, HEADS, INNER, **options).eval()


def stack(kind: Any = Unfused, layers: int = 2, **more: Any) -> Any:
    return nn.TransformerEncoder(part(kind, **more), layers, enable_nested_tensor=False).eval()


def hugging_face(name: str, **more: Any) -> Any:
    transformers: Any = pytest.importorskip("transformers", reason="transformers is not installed")
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 24}
    kind = {"hidden_act": "gelu_new", "num_hidden_layers": 2, "vocab_size": 50}
    config = getattr(transformers, f"{name}Config")(**{**kind, **sizes, **more})
    return getattr(transformers, f"{name}Model")(config).eval()


def scaled_fused() -> Any:
    layer = part(nn.TransformerEncoderLayer)
    with torch.no_grad():
        layer.linear1.weight.mul_(3)
    return layer


def shared_norm() -> Any:
    model = stack(nn.TransformerEncoderLayer, 1)
    model.layers[0].norm2 = model.layers[0].norm1
    with torch.no_grad():
        model.layers[0].norm1.weight.uniform_(0.5, 1.5)
    return model


class Plotted(nn.TransformerEncoderLayer):
    def _sa_block(self, *args: Any, **more: Any) -> Any:
        self.map = super()._sa_block(*args, **more)
        return self.map


def plotted() -> Any:
    layer = part(Plotted)
    layer(torch.randn(1, 5, WIDTH))
    assert layer.map.grad_fn is not None
    return layer


class Frozen(nn.TransformerEncoderLayer):
    def _ff_block(self, x: Any) -> Any:
        first, second = self.linear1, self.linear2
        inner = self.activation(F.linear(x, first.weight.detach(), first.bias.detach()))
        return F.linear(inner, second.weight.detach(), second.bias.detach())


class Dropping(Unfused):
    def _ff_block(self, x: Any) -> Any:
        return F.dropout(super()._ff_block(x), 0.5, self.training)


class ShortSoftmax(Unfused):
    """Softmax in float32; with the right scale, or with another one."""

    divisor = (WIDTH // HEADS) ** 0.5

    def _sa_block(self, x: Any, mask: Any, padding: Any, is_causal: bool = False) -> Any:
        inner = self.self_attn
        q, k, v = (
            t.unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for t in F.linear(x, inner.in_proj_weight, inner.in_proj_bias).chunk(3, -1)
        )
        scores = q @ k.transpose(-1, -2) / self.divisor
        weights = torch.softmax(scores, -1, dtype=torch.float32).to(x.dtype)
        return inner.out_proj((weights @ v).transpose(1, 2).flatten(2))


class WrongScale(ShortSoftmax):
    divisor = 8.0


class Causal(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = stack()

    def forward(self, x: Any) -> Any:
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=x.dtype)
        return self.inner(x, mask=mask, is_causal=True)


class Adapted(nn.Module):
    def __init__(self, base: Any) -> None:
        super().__init__()
        self.base_layer = base

    def forward(self, x: Any) -> Any:
        return self.base_layer(x)


def adapted() -> Any:
    model = hugging_face("Bert", num_hidden_layers=3)
    inner = model.encoder.layer[2].attention.self
    inner.query = Adapted(inner.query)
    return model


class Model(nn.Module):
    """Two layers of known names, and an owner that calls them as ``run`` says."""

    def __init__(self, run: Callable[[Any, Any], Any], kind: Any = Unfused) -> None:
        super().__init__()
        self.layers, self.run = nn.ModuleList([part(kind), part(kind)]), run
        self.eval()

    def forward(self, x: Any) -> Any:
        return self.run(self.layers, x)


def each(call: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def run(layers: Any, x: Any) -> Any:
        for layer in layers:
            x = call(layer, x)
        return x

    return run


class Shifted(Unfused):
    """Takes positions from its owner."""

    def forward(self, x: Any, positions: Any) -> Any:
        return super().forward(x + positions)


def positions(layer: Any, x: Any) -> Any:
    return layer(x, torch.linspace(0, 1, x.shape[1], dtype=x.dtype)[None, :, None].expand_as(x))


def changed_gradient() -> Any:
    model = stack()
    model.layers[0].linear1.weight.register_hook(lambda g: 2 * g)
    return model


def hooked(kind: str, hook: Any) -> Any:
    model = stack()
    getattr(model.layers[1], f"register_{kind}hook")(hook)
    return model


class Broken(Unfused):
    def _ff_block(self, x: Any) -> Any:
        raise KeyError("no such thing")


def broken_owner(layers: Any, x: Any) -> Any:
    raise RuntimeError("the owner's own mistake")


class ByName(Model):
    def forward(self, *, frames: Any) -> Any:  # type: ignore[override]
        return self.run(self.layers, frames)


CASES: Mapping[str, tuple[Callable[[], Any], set[int]]] = {
    "another activation in the fused path": (scaled_fused, {4}),
    "weights detached": (lambda: part(Frozen), {1}),
    "a causal mask from the parent": (lambda: Causal().eval(), {0}),
    "rotary positions from the parent": (lambda: hugging_face("RoFormer"), {4}),
    "dropout by function": (lambda: part(Dropping).train(), {1, 4}),
    "one norm in both places": (shared_norm, {0}),
    "a softmax in float32": (lambda: part(ShortSoftmax), {0}),
    "a softmax in float32 with another scale": (lambda: part(WrongScale), {1}),
    "a tensor kept for a plot": (plotted, {0}),
    "pre-norm with names of a post-norm layer": (
        lambda: hugging_face("Esm", pad_token_id=1, mask_token_id=2),
        {0, 4},
    ),
    "an activation with a weight": (lambda: stack(activation=nn.PReLU()), {0}),
    "each layer as it should be": (lambda: Model(each(lambda la, x: la(x))), {0}),
    "each layer twice": (lambda: Model(each(lambda la, x: la(la(x)))), {4}),
    "something between the layers": (lambda: Model(each(lambda la, x: x + la(x))), {4}),
    "the second layer left out": (lambda: Model(lambda las, x: las[0](x)), {4}),
    "positions as an argument": (lambda: Model(each(positions), Shifted), {4}),
    "an owner that breaks": (lambda: Model(broken_owner), {4}),
    "an argument by name alone": (lambda: ByName(each(lambda la, x: la(x))), {0}),
    "a hook on a gradient": (changed_gradient, {4}),
    "a hook that changes the output": (lambda: hooked("forward_", lambda m, a, o: 1.1 * o), {1}),
    "a hook that looks on": (lambda: hooked("forward_", lambda m, a, o: None), {0}),
    "a layer that breaks": (lambda: part(Broken), {4}),
    "compiled": (lambda: torch.compile(stack()), {0}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_reported_case(tmp_path: Path, name: str) -> None:
    make, codes = CASES[name]
    assert judged(tmp_path, make(), prove=accepting).exit_code in codes


def test_one_token_shows_nothing_of_queries_and_keys(tmp_path: Path) -> None:
    assert judged(tmp_path, part(), seq_len=1, prove=accepting).exit_code == 4


def test_the_function_without_gradients_is_reported_next_to_the_theorem(tmp_path: Path) -> None:
    (found,) = section(judged(tmp_path, shared_norm())).layers
    assert found.applies
    assert "under no_grad it computes the block with erf-GELU" in found.coverage


def test_a_small_difference_must_be_explained(tmp_path: Path) -> None:
    """As close as erf-GELU, but another function: not accepted."""

    class Near(Unfused):
        def _ff_block(self, x: Any) -> Any:
            found = super()._ff_block(x)
            return found if torch.is_grad_enabled() else found * (1 + 3e-5)

    assert judged(tmp_path, part(Near), prove=accepting).exit_code == 4


def test_positions_from_the_parent_are_named(tmp_path: Path) -> None:
    layers = section(judged(tmp_path, hugging_face("RoFormer"), prove=accepting)).layers
    assert [la.verdict for la in layers] == [Verdict.INCONCLUSIVE] * 2
    assert all("its parent: passes sinusoidal_pos [1, 1, 8, 8]" in la.coverage for la in layers)


def test_an_adapter_in_one_layer_is_named_and_the_others_are_judged(tmp_path: Path) -> None:
    first, second, last = section(judged(tmp_path, adapted(), prove=accepting)).layers
    assert first.applies
    assert second.applies
    assert not last.applies
    assert last.by_graph


def test_modules_without_code_or_numbers(tmp_path: Path) -> None:
    scripted = torch.jit.script(nn.Sequential(nn.Linear(4, 4), nn.ReLU()))
    with pytest.raises(InvalidInputError, match="scripted or traced"):
        read_model(scripted)
    with pytest.raises(InvalidInputError, match="on the meta device"):
        read_model(nn.TransformerEncoderLayer(4, 2, 8, device="meta"))
