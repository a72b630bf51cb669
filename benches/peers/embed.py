"""How fast does ONNX Runtime embed the same passages with the same model, in f32 and in dynamic int8?

embed.py passages CORPUS.jsonl... FILE     cuts texts of BEIR corpora into passages, one a line
embed.py export MODEL_FOLDER FOLDER        writes f32.onnx and int8.onnx
embed.py run MODEL_FOLDER FOLDER FILE      measures both on 2 threads, each at its best batch size, prints JSON
embed.py ratios FILE                       reads lines of JSON, peer and ours in turn, prints each round and medians
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

WORDS, PASSAGES, TOKENS = 180, 400, 256
QUERY = "users cannot log in to the vpn after the password change"
BATCHES = (1, 4, 16)


def passages(corpora, target):
    texts = []
    for corpus in corpora:
        lines = open(corpus, encoding="utf-8").read().splitlines()
        rows = [json.loads(line) for line in lines]
        words = [word for row in rows for word in f"{row['title']} {row['text']}".split()]
        cut = [" ".join(words[at : at + WORDS]) for at in range(0, len(words) - WORDS, WORDS)]
        share = PASSAGES // len(corpora)
        texts += cut[:: max(1, len(cut) // share)][:share]
    Path(target).write_text("".join(text + "\n" for text in texts), encoding="utf-8")


def export(model, folder):
    """The graph that ONNX Runtime's own transformer optimizer would leave: fused attention, layer norm, bias GELU."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from safetensors.numpy import load_file

    tensors = load_file(Path(model) / "model.safetensors")
    config = json.loads((Path(model) / "config.json").read_text())
    nodes, constants = [], []

    def constant(name, value):
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(kind, inputs, output, own=False, **settings):
        domain = "com.microsoft" if own else ""
        nodes.append(helper.make_node(kind, inputs, [output], name=output, domain=domain, **settings))
        return output

    def stored(name):
        return constant(name, tensors[name])

    def linear(name, given, output):
        weight = constant(f"{name}.matrix", tensors[f"{name}.weight"].T)
        return node("MatMul", [given, weight], output)

    def add_norm(name, given, added, bias, output):
        total = node("Add", [node("Add", [added, bias], f"{output}.biased"), given], f"{output}.sum")
        learned = [stored(f"{name}.weight"), stored(f"{name}.bias")]
        return node("LayerNormalization", [total, *learned], output, epsilon=1e-12, axis=-1)

    positions = tensors["embeddings.position_embeddings.weight"] + tensors["embeddings.token_type_embeddings.weight"][0]
    words = node("Gather", [stored("embeddings.word_embeddings.weight"), "ids"], "words")
    place = node("Gather", [constant("positions", positions), "places"], "place")
    both = node("Add", [words, place], "both")
    norm = "embeddings.LayerNorm"
    inputs = [both, stored(f"{norm}.weight"), stored(f"{norm}.bias")]
    hidden = node("LayerNormalization", inputs, "hidden", epsilon=1e-12, axis=-1)
    for index in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{index}"
        parts = [f"{layer}.attention.self.{part}" for part in ("query", "key", "value")]
        bias = constant(f"{layer}.qkv_bias", np.concatenate([tensors[f"{part}.bias"] for part in parts]))
        heads = config["num_attention_heads"]
        given = [linear(part, hidden, f"{part}.out") for part in parts]
        attended = node("MultiHeadAttention", [*given, bias, "lengths"], f"{layer}.attended", own=True, num_heads=heads)
        name = f"{layer}.attention.output"
        change = linear(f"{name}.dense", attended, f"{layer}.projected")
        hidden = add_norm(f"{name}.LayerNorm", hidden, change, stored(f"{name}.dense.bias"), f"{layer}.middle")
        wide = linear(f"{layer}.intermediate.dense", hidden, f"{layer}.wide")
        wide = node("BiasGelu", [wide, stored(f"{layer}.intermediate.dense.bias")], f"{layer}.gelu", own=True)
        change = linear(f"{layer}.output.dense", wide, f"{layer}.narrow")
        name = f"{layer}.output"
        hidden = add_norm(f"{name}.LayerNorm", hidden, change, stored(f"{name}.dense.bias"), f"{layer}.out")
    integers = {"ids": ["batch", "length"], "places": ["batch", "length"], "lengths": ["batch"]}
    kinds = {"ids": TensorProto.INT64, "places": TensorProto.INT64, "lengths": TensorProto.INT32}
    given = [helper.make_tensor_value_info(name, kinds[name], shape) for name, shape in integers.items()]
    output = helper.make_tensor_value_info(hidden, TensorProto.FLOAT, ["batch", "length", config["hidden_size"]])
    graph = helper.make_graph(nodes, "encoder", given, [output], constants)
    domains = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    proto = helper.make_model(graph, opset_imports=domains, ir_version=9)
    plain = str(Path(folder) / "f32.onnx")
    onnx.save(proto, plain)
    rounded = str(Path(folder) / "int8.onnx")
    extra = {"DefaultTensorType": TensorProto.FLOAT}
    quantize_dynamic(
        plain, rounded, weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=["MatMul"], extra_options=extra
    )


class Peer:
    """Sorted by length, padded to the longest of a batch, tokenised inside, as ours is."""

    def __init__(self, model, file):
        import onnxruntime
        from tokenizers import Tokenizer

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = 2
        settings.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(file, settings, providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(str(Path(model) / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(TOKENS)

    def embed(self, texts, batch):
        sequences = [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]
        order = sorted(range(len(texts)), key=lambda place: len(sequences[place]))
        vectors = [None] * len(texts)
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            lengths = np.array([len(sequences[place]) for place in chosen], np.int32)
            ids = np.zeros((len(chosen), int(lengths.max())), np.int64)
            for row, place in enumerate(chosen):
                ids[row, : lengths[row]] = sequences[place]
            places = np.broadcast_to(np.arange(ids.shape[1]), ids.shape)
            given = {"ids": ids, "places": np.ascontiguousarray(places), "lengths": lengths}
            hidden = self.session.run(None, given)[0]
            for row, place in enumerate(chosen):
                mean = hidden[row, : lengths[row]].mean(axis=0)
                vectors[place] = mean / np.linalg.norm(mean)
        self.tokens = sum(map(len, sequences))
        return np.array(vectors, np.float32)


def seconds(call, times):
    call()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


def run(model, folder, file):
    texts = Path(file).read_text(encoding="utf-8").splitlines()
    some = texts[::10]
    result, vectors = {}, {}
    for name in ("f32", "int8"):
        peer = Peer(model, str(Path(folder) / f"{name}.onnx"))
        best = min(BATCHES, key=lambda batch: seconds(lambda: peer.embed(some, batch), 1))
        vectors[name] = peer.embed(texts, best)
        taken, tokens = seconds(lambda: peer.embed(texts, best), 1), peer.tokens
        query = seconds(lambda: peer.embed([QUERY], 1), 300)
        result[name] = {"batch": best, "tokens_per_second": tokens / taken, "query_seconds": query}
    result["cosine"] = float((vectors["f32"] * vectors["int8"]).sum(axis=1).mean())
    print(json.dumps(result))


def ratios(file):
    lines = [json.loads(line) for line in Path(file).read_text().splitlines()]
    rounds = {}
    for peer, ours in zip(lines[::2], lines[1::2]):
        for name in ("int8", "f32"):
            for what in ("tokens_per_second", "query_seconds"):
                rounds.setdefault(f"{name} {what}, ours / peer", []).append(ours[name][what] / peer[name][what])
        for who, found in (("peer", peer), ("ours", ours)):
            rounds.setdefault(f"mean cosine of int8 to f32, {who}", []).append(found["cosine"])
            print(who, json.dumps(found))
    for what, values in rounds.items():
        print(f"{what}: {np.median(values):.3f}")


if __name__ == "__main__":
    command, *given = sys.argv[1:]
    if command == "passages":
        passages(given[:-1], given[-1])
    elif command == "export":
        export(*given)
    elif command == "ratios":
        ratios(*given)
    else:
        run(*given)
