"""The closed forms of decoder blocks against the layers of Hugging Face transformers.

Value and gradients of every weight; skipped if torch or transformers is missing.  The layers are in
float64, but their RMSNorm and softmax go through float32, which limits the agreement.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from numeric.closed_forms import formulas, models, t5
from numeric.closed_forms.formulas import Given, window
from tests.numeric.block_graphs import written

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

WRITTEN_FORMS = {**formulas.WRITTEN_FORMS, **models.WRITTEN_FORMS, **t5.WRITTEN_FORMS}
N, D, G, R, K, F = 5, 12, 2, 3, 4, 6
HEADS = G * R
EPS = 1e-3
SINGLE = 2e-5


def given(graph: str, sizes: dict[str, int]) -> Given:
    rng = np.random.default_rng(3)
    shapes = written(graph, sizes).input_shapes
    inputs = {n: rng.normal(size=(1, *s)) / np.sqrt(s[0]) for n, s in shapes.items()}
    if "cos" in inputs:  # both halves of a table are the same in these layers
        angle = np.arange(N)[:, None] * np.tile(100.0 ** -np.arange(0, 1, 2 / K), 2)
        inputs |= {"cos": np.cos(angle)[None], "sin": np.sin(angle)[None]}
    eps = {name: np.full(1, EPS) for name in ("eps1", "eps2", "eps3")}
    return Given(inputs, eps, sizes)


def additive(width: int) -> Any:
    """The mask in the form that these layers accept."""
    seen = torch.tensor(window(N, width))
    return torch.zeros(1, 1, N, N, dtype=torch.float64).masked_fill(~seen, -torch.inf)


def put(parameter: Any, value: np.ndarray) -> None:
    with torch.no_grad():
        parameter.copy_(torch.tensor(value))


def agree(at: Given, graph: str, layer: Any, own: dict[str, Any], call: dict[str, Any]) -> None:
    """The same value, and the same gradients of x and of all weights; ``own`` has the layer's
    parameter for each name, and whether it is ours transposed."""
    for name, (parameter, turned) in own.items():
        put(parameter, at.inputs[name][0].T if turned else at.inputs[name][0])
    form = WRITTEN_FORMS[graph].write(at)
    x = torch.tensor(at.inputs["x"], requires_grad=True)
    found = layer(x, **call)
    y = found[0] if isinstance(found, tuple) else found
    np.testing.assert_allclose(y.detach().numpy(), form.result.value, rtol=0, atol=SINGLE)
    cotangent = np.random.default_rng(4).normal(size=form.result.value.shape)
    y.backward(torch.tensor(cotangent))
    pulled = form.vjp(cotangent)
    np.testing.assert_allclose(x.grad.numpy(), pulled["x"], rtol=0, atol=SINGLE)
    for name, (parameter, turned) in own.items():
        grad = parameter.grad.numpy()
        ours = pulled[name][0]
        np.testing.assert_allclose(grad.T if turned else grad, ours, rtol=0, atol=SINGLE)


def gated_config(kind: str, act: str, **more: Any) -> Any:
    return getattr(transformers, f"{kind}Config")(
        hidden_size=D,
        intermediate_size=F,
        num_attention_heads=HEADS,
        num_key_value_heads=G,
        head_dim=K,
        rms_norm_eps=EPS,
        hidden_act=act,
        attn_implementation="eager",
        **more,
    )


def gated_weights(layer: Any, start: str = "") -> dict[str, Any]:
    """The layer's parameters by our names."""
    attention, mlp = layer.self_attn, layer.mlp
    own = {
        **{f"W{p}": (getattr(attention, f"{p}_proj").weight, True) for p in "qkvo"},
        "Wg": (mlp.gate_proj.weight, True),
        "Wu": (mlp.up_proj.weight, True),
        "Wd": (mlp.down_proj.weight, True),
        "gamma1": (layer.input_layernorm.weight, False),
        "gamma2": (layer.post_attention_layernorm.weight, False),
    }
    return {start + name: parameter for name, parameter in own.items()}


@pytest.mark.parametrize(
    ("graph", "kind", "act", "width"),
    [
        ("llamaBlockGraph", "Llama", "silu", N),
        ("mistralBlockGraph", "Mistral", "silu", 2),
        ("gemmaBlockGraph", "Gemma", "gelu_pytorch_tanh", N),
    ],
)
def test_gated_blocks(graph: str, kind: str, act: str, width: int) -> None:
    sizes = {"seqLen": N, "dModel": D, "numGroups": G, "perGroup": R, "headDim": K, "dFF": F}
    at = given(graph, sizes)
    module = getattr(transformers.models, kind.lower())
    module = getattr(module, f"modeling_{kind.lower()}")
    layer = getattr(module, f"{kind}DecoderLayer")(gated_config(kind, act), 0).double()
    own = gated_weights(layer)
    tables = tuple(torch.tensor(at.inputs[n]) for n in ("cos", "sin"))
    call = {"attention_mask": additive(width), "position_embeddings": tables}
    agree(at, graph, layer, own, call)


def gpt2_weights(at: Given, layer: Any, start: str = "") -> dict[str, Any]:
    """The layer's parameters by our names, except its queries, keys and values, which are passed
    in."""
    three = [[at.inputs[f"{start}{x}{p}"][0] for p in "qkv"] for x in "Wb"]
    put(layer.attn.c_attn.weight, np.concatenate(three[0], axis=1))
    put(layer.attn.c_attn.bias, np.concatenate(three[1]))
    own = {
        "Wo": (layer.attn.c_proj.weight, False),
        "bo": (layer.attn.c_proj.bias, False),
        "W1": (layer.mlp.c_fc.weight, False),
        "b1": (layer.mlp.c_fc.bias, False),
        "W2": (layer.mlp.c_proj.weight, False),
        "b2": (layer.mlp.c_proj.bias, False),
        "gamma1": (layer.ln_1.weight, False),
        "beta1": (layer.ln_1.bias, False),
        "gamma2": (layer.ln_2.weight, False),
        "beta2": (layer.ln_2.bias, False),
    }
    return {start + name: parameter for name, parameter in own.items()}


def queries_keys_values_agree(layer: Any, pulled: dict[str, Any], start: str = "") -> None:
    stacked = np.split(layer.attn.c_attn.weight.grad.numpy(), 3, axis=1)
    for p, grad in zip("qkv", stacked, strict=True):
        np.testing.assert_allclose(grad, pulled[f"{start}W{p}"][0], rtol=0, atol=SINGLE)


GPT2 = {
    "n_embd": D, "n_head": 2, "n_inner": F, "layer_norm_epsilon": EPS, "resid_pdrop": 0.0,
    "attn_pdrop": 0.0, "embd_pdrop": 0.0, "attn_implementation": "eager",
}  # fmt: skip


def test_gpt2() -> None:
    sizes = {"seqLen": N, "dModel": D, "numHeads": 2, "headDim": D // 2, "dFF": F}
    at = given("gpt2BlockGraph", sizes)
    module = transformers.models.gpt2.modeling_gpt2
    layer = module.GPT2Block(transformers.GPT2Config(**GPT2), layer_idx=0).double()
    own = gpt2_weights(at, layer)
    agree(at, "gpt2BlockGraph", layer, own, {"attention_mask": additive(N)})
    form = WRITTEN_FORMS["gpt2BlockGraph"].write(at)
    pulled = form.vjp(np.random.default_rng(4).normal(size=form.result.value.shape))
    queries_keys_values_agree(layer, pulled)


def test_gpt2_to_its_loss() -> None:
    vocab = 4
    sizes = {"seqLen": N, "dModel": D, "numHeads": 2, "headDim": D // 2, "dFF": F}
    at = given("gpt2ModelGraph", {**sizes, "vocab": vocab, "depth": 2})
    config = transformers.GPT2Config(**GPT2, n_layer=2, vocab_size=vocab, n_positions=N)
    model = transformers.GPT2LMHeadModel(config).double()
    body = model.transformer
    own = {
        "table": (body.wte.weight, False),
        "positions": (body.wpe.weight, False),
        "gamma": (body.ln_f.weight, False),
        "beta": (body.ln_f.bias, False),
    }
    for k, layer in enumerate(body.h):
        own |= gpt2_weights(at, layer, f"layer{k}.")
    pulled = losses_agree(at, "gpt2ModelGraph", model, own)
    for k, layer in enumerate(body.h):
        queries_keys_values_agree(layer, pulled, f"layer{k}.")


def losses_agree(at: Given, graph: str, model: Any, own: dict[str, Any]) -> dict[str, Any]:
    """The same loss, and the same gradients of all weights; all our gradients."""
    for name, (parameter, turned) in own.items():
        put(parameter, at.inputs[name][0].T if turned else at.inputs[name][0])
    tokens = torch.arange(N + 1) % at.sizes["vocab"]
    logits = model(tokens[None, :-1]).logits[0]
    loss = torch.nn.functional.cross_entropy(logits, tokens[1:])
    loss.backward()
    form = WRITTEN_FORMS[graph].write(at)
    np.testing.assert_allclose(form.result.value, [loss.item()], rtol=0, atol=SINGLE)
    pulled = form.vjp(np.ones(1))
    for name, (parameter, turned) in own.items():
        grad = parameter.grad.numpy()
        ours = pulled[name][0]
        np.testing.assert_allclose(grad.T if turned else grad, ours, rtol=0, atol=SINGLE)
    return pulled


@pytest.mark.parametrize(("kind", "act"), [("Llama", "silu"), ("Gemma", "gelu_pytorch_tanh")])
def test_gated_models_to_their_loss(kind: str, act: str) -> None:
    graph, vocab = f"{kind.lower()}ModelGraph", 4
    sizes = {"seqLen": N, "dModel": D, "numGroups": G, "perGroup": R, "headDim": K, "dFF": F}
    config = gated_config(
        kind, act, num_hidden_layers=2, vocab_size=vocab, max_position_embeddings=N,
        pad_token_id=None, tie_word_embeddings=kind == "Gemma",
    )  # fmt: skip
    model = getattr(transformers, f"{kind}ForCausalLM")(config).double()
    at = given(graph, {**sizes, "vocab": vocab, "depth": 2})
    body = model.model
    tables = body.rotary_emb(torch.zeros(1, N, D, dtype=torch.float64), torch.arange(N)[None])
    own = {"table": (body.embed_tokens.weight, False), "gamma": (body.norm.weight, False)}
    if kind == "Llama":
        own["head"] = (model.lm_head.weight, False)
    given_tables = {}
    for k, layer in enumerate(body.layers):
        own |= gated_weights(layer, f"layer{k}.")
        for name, value in zip(("cos", "sin"), tables, strict=True):
            given_tables[f"layer{k}.{name}"] = value.detach().numpy()
    losses_agree(replace(at, inputs={**at.inputs, **given_tables}), graph, model, own)


def test_the_original_decoder() -> None:
    """PyTorch's ``nn.TransformerDecoderLayer`` by default, with both masks."""
    m, d, visible = 4, 12, 3
    sizes = {
        "seqLen": N, "memoryLen": m, "dModel": d, "numHeads": 3, "headDim": 4, "dFF": F,
        "visible": visible,
    }  # fmt: skip
    at = given("decoderBlockGraph", sizes)
    layer = torch.nn.TransformerDecoderLayer(
        d, 3, F, dropout=0.0, layer_norm_eps=EPS, batch_first=True, dtype=torch.float64
    )
    own = {"W1": (layer.linear1.weight, True), "W2": (layer.linear2.weight, True)}
    own |= {"b1": (layer.linear1.bias, False), "b2": (layer.linear2.bias, False)}
    for k in (1, 2, 3):
        norm = getattr(layer, f"norm{k}")
        own |= {f"gamma{k}": (norm.weight, False), f"beta{k}": (norm.bias, False)}
    attentions = {"": layer.self_attn, "cross.": layer.multihead_attn}
    for prefix, attention in attentions.items():
        put(
            attention.in_proj_weight,
            np.concatenate([at.inputs[f"{prefix}W{p}"][0].T for p in "qkv"]),
        )
        put(attention.in_proj_bias, np.concatenate([at.inputs[f"{prefix}b{p}"][0] for p in "qkv"]))
        own[f"{prefix}Wo"] = (attention.out_proj.weight, True)
        own[f"{prefix}bo"] = (attention.out_proj.bias, False)
    memory = torch.tensor(at.inputs["memory"], requires_grad=True)
    call = {
        "memory": memory,
        "tgt_mask": torch.tensor(~window(N, N)),
        "memory_key_padding_mask": torch.arange(m)[None] >= visible,
    }
    agree(at, "decoderBlockGraph", layer, own, call)
    form = WRITTEN_FORMS["decoderBlockGraph"].write(at)
    pulled = form.vjp(np.random.default_rng(4).normal(size=form.result.value.shape))
    np.testing.assert_allclose(memory.grad.numpy(), pulled["memory"], rtol=0, atol=SINGLE)
    for prefix, attention in attentions.items():
        stacked = np.split(attention.in_proj_weight.grad.numpy(), 3)
        for p, grad in zip("qkv", stacked, strict=True):
            np.testing.assert_allclose(grad.T, pulled[f"{prefix}W{p}"][0], rtol=0, atol=SINGLE)


def t5_attention(attention: Any, start: str = "") -> dict[str, Any]:
    return {f"{start}W{p}": (getattr(attention, p).weight, True) for p in "qkvo"}


@pytest.mark.parametrize("gate", [False, True])
@pytest.mark.parametrize("decoder", [False, True])
def test_t5(decoder: bool, gate: bool) -> None:
    """T5's block, with its own table and masks of −∞."""
    m, visible, buckets, heads = 4, 3, 32, 3
    kind = f"t5{'Gated' if gate else ''}{'Decoder' if decoder else 'Encoder'}BlockGraph"
    sizes = {
        "seqLen": N, "dModel": D, "numHeads": heads, "headDim": K, "buckets": buckets, "dFF": F,
        "visible": visible, **({"memoryLen": m} if decoder else {}),
    }  # fmt: skip
    at = given(kind, sizes)
    config = transformers.T5Config(
        d_model=D,
        d_kv=K,
        d_ff=F,
        num_heads=heads,
        relative_attention_num_buckets=buckets,
        layer_norm_epsilon=EPS,
        dropout_rate=0.0,
        feed_forward_proj="gated-gelu" if gate else "relu",
        is_decoder=decoder,
        attn_implementation="eager",
    )
    module = transformers.models.t5.modeling_t5
    layer = module.T5Block(config, has_relative_attention_bias=True, layer_idx=0).double().eval()
    own = t5_attention(layer.layer[0].SelfAttention)
    own["table"] = (layer.layer[0].SelfAttention.relative_attention_bias.weight, False)
    maps = layer.layer[-1].DenseReluDense
    own |= (
        {
            "Wg": (maps.wi_0.weight, True),
            "Wu": (maps.wi_1.weight, True),
            "Wd": (maps.wo.weight, True),
        }
        if gate
        else {"W1": (maps.wi.weight, True), "W2": (maps.wo.weight, True)}
    )
    own |= {f"gamma{k}": (x.layer_norm.weight, False) for k, x in enumerate(layer.layer, 1)}
    seen = torch.arange(m if decoder else N) < visible
    padding = torch.zeros(len(seen), dtype=torch.float64).masked_fill(~seen, -torch.inf)
    call: dict[str, Any] = {"attention_mask": padding[None, None, None]}
    memory = None
    if decoder:
        own |= t5_attention(layer.layer[1].EncDecAttention, "cross.")
        memory = torch.tensor(at.inputs["memory"], requires_grad=True)
        call = {
            "attention_mask": additive(N),
            "encoder_hidden_states": memory,
            "encoder_attention_mask": call["attention_mask"],
        }
    agree(at, kind, layer, own, call)
    if memory is not None:
        form = WRITTEN_FORMS[kind].write(at)
        pulled = form.vjp(np.random.default_rng(4).normal(size=form.result.value.shape))
        np.testing.assert_allclose(memory.grad.numpy(), pulled["memory"], rtol=0, atol=SINGLE)
