"""Writes the graph that patina runs for a BERT sentence encoder, int8, from its safetensors: ONNX and a file of weights.

Weights of the matrix products and of the word embeddings are int8 with one scale a column (a row for embeddings);
products quantise their input when they run. Query, key and value are one product, and the operators are those that ONNX
Runtime would fuse the plain graph to, so that loading has nothing left to rewrite. Weights use 7 bits: products of a
full int8 overflow the 16-bit sums of processors without VNNI.

The same input gives the same bytes on every machine and Python: plain IEEE doubles, no library, no clock. Refusal: it
reads two files, writes two, and knows no network.

Sources: the safetensors format; onnx.proto (IR version 8, opset 17); ONNX Runtime's contrib operators.
"""

import array
import json
import os
import struct
import sys

# Levels on either side of zero. See above for why not 127.
LEVELS = 63
FLOAT, INT8, INT32, INT64 = 1, 3, 6, 7
# Constants of a page and more are mapped into memory from their file, so that loading copies none of them.
PAGE = 4096


# ---- protobuf, as far as onnx.proto needs it ------------------------------------------------------------------------


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value):
    """One field: whole numbers as varints, everything else as bytes with a length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name, kind, shape, raw):
    return b"".join(field(1, size) for size in shape) + field(2, kind) + field(8, name) + field(9, raw)


def tensor_outside(name, kind, shape, location, offset, length):
    """A tensor whose bytes are in another file."""
    place = (("location", location), ("offset", str(offset)), ("length", str(length)))
    text = b"".join(field(1, size) for size in shape) + field(2, kind) + field(8, name)
    return text + b"".join(field(13, field(1, key) + field(2, value)) for key, value in place) + field(14, 1)


def attribute(name, value):
    if isinstance(value, float):
        return field(1, name) + varint(2 << 3 | 5) + struct.pack("<f", value) + field(20, 1)
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, 2)
    return field(1, name) + b"".join(field(8, one) for one in value) + field(20, 7)


def node(kind, inputs, outputs, domain="", **attributes):
    text = b"".join(field(1, name) for name in inputs) + b"".join(field(2, name) for name in outputs)
    text += field(3, outputs[0]) + field(4, kind)
    text += b"".join(field(5, attribute(name, value)) for name, value in sorted(attributes.items()))
    return text + (field(7, domain) if domain else b"")


def value_info(name, kind, shape):
    sizes = b"".join(field(1, field(2, size) if isinstance(size, str) else field(1, size)) for size in shape)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, sizes)))


# ---- weights --------------------------------------------------------------------------------------------------------


class Weights:
    """Tensors of a safetensors file, float32, as flat arrays."""

    def __init__(self, path):
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            self.header = json.loads(file.read(length))
            self.body = file.read()

    def flat(self, name):
        entry = self.header[name]
        if entry["dtype"] != "F32":
            raise SystemExit(f"{name} is {entry['dtype']}, F32 is needed")
        start, end = entry["data_offsets"]
        values = array.array("f", self.body[start:end])
        if sys.byteorder == "big":
            values.byteswap()
        return values

    def rows(self, name):
        """The rows of a matrix [out, in]."""
        width = self.header[name]["shape"][1]
        values = self.flat(name)
        return [values[at : at + width] for at in range(0, len(values), width)]


def floats(values):
    return struct.pack(f"<{len(values)}f", *values)


def quantised(row, levels):
    """A row as whole numbers of -levels..levels, and the float32 that one of them is worth."""
    largest = max(max(row), -min(row))
    (scale,) = struct.unpack("<f", struct.pack("<f", largest / levels if largest else 1.0))
    return [max(-levels, min(levels, round(value / scale))) for value in row], scale


# ---- the graph ------------------------------------------------------------------------------------------------------


class Graph:
    """Nodes and constants in the order they are added; large constants go to a file of their own."""

    def __init__(self, location):
        self.nodes, self.constants = [], []
        self.location, self.outside = location, bytearray()

    def constant(self, name, kind, shape, raw):
        if len(raw) < PAGE:
            self.constants.append(tensor(name, kind, shape, raw))
        else:
            self.outside += bytes(-len(self.outside) % PAGE)
            self.constants.append(tensor_outside(name, kind, shape, self.location, len(self.outside), len(raw)))
            self.outside += raw
        return name

    def add(self, kind, inputs, output, domain="", **attributes):
        self.nodes.append(node(kind, inputs, [output], domain, **attributes))
        return output

    def product(self, x, name, rows, bias):
        """x times the transposed rows, plus a bias."""
        columns = [quantised(row, LEVELS) for row in rows]
        flat = array.array("b", bytes(len(rows) * len(rows[0])))
        for at, (column, _) in enumerate(columns):
            flat[at :: len(rows)] = array.array("b", column)
        weight = self.constant(f"{name}.weight", INT8, [len(rows[0]), len(rows)], flat.tobytes())
        scale = self.constant(f"{name}.scale", FLOAT, [len(rows)], floats([scale for _, scale in columns]))
        inputs = [x, weight, scale, "", self.constant(f"{name}.bias", FLOAT, [len(rows)], floats(bias))]
        return self.add("DynamicQuantizeMatMul", inputs, name, "com.microsoft")

    def linear(self, x, name, weights, source):
        return self.product(x, name, weights.rows(f"{source}.weight"), weights.flat(f"{source}.bias"))

    def normalised(self, x, skip, name, weights, source, epsilon):
        weight, bias = weights.flat(f"{source}.weight"), weights.flat(f"{source}.bias")
        gamma = self.constant(f"{name}.gamma", FLOAT, [len(weight)], floats(weight))
        beta = self.constant(f"{name}.beta", FLOAT, [len(bias)], floats(bias))
        return self.add("SkipLayerNormalization", [x, skip, gamma, beta], name, "com.microsoft", epsilon=epsilon)


def embeddings(graph, weights, config):
    """Word, position and type embeddings, before their normalisation: two summands."""
    width, words = config["hidden_size"], weights.rows("embeddings.word_embeddings.weight")
    rows = [quantised(row, 127) for row in words]
    raw = b"".join(array.array("b", row).tobytes() for row, _ in rows)
    table = graph.constant("words", INT8, [len(words), width], raw)
    scales = graph.constant("words.scale", FLOAT, [len(words), 1], floats([scale for _, scale in rows]))
    graph.add("Gather", [table, "input_ids"], "word.int8")
    graph.add("Cast", ["word.int8"], "word.float", to=FLOAT)
    graph.add("Gather", [scales, "input_ids"], "word.scale")
    word = graph.add("Mul", ["word.float", "word.scale"], "word")
    # A text is one segment, so its type embedding is the same everywhere and goes with the position.
    kind = weights.rows("embeddings.token_type_embeddings.weight")[0]
    places = weights.rows("embeddings.position_embeddings.weight")
    summed = [a + b for row in places for a, b in zip(row, kind)]
    table = graph.constant("places", FLOAT, [len(places), width], floats(summed))
    zero = graph.constant("zero", INT64, [1], struct.pack("<q", 0))
    graph.add("Shape", ["input_ids"], "length", start=1, end=2)
    graph.add("Slice", [table, zero, "length"], "place")
    graph.add("Shape", ["word"], "word.shape")
    # SkipLayerNormalization adds two tensors of one shape.
    return word, graph.add("Expand", ["place", "word.shape"], "place.each")


def encoder(weights, config, location):
    graph = Graph(location)
    epsilon, heads = config["layer_norm_eps"], config["num_attention_heads"]
    word, place = embeddings(graph, weights, config)
    x = graph.normalised(word, place, "embedded", weights, "embeddings.LayerNorm", epsilon)
    graph.add("Cast", ["attention_mask"], "mask", to=INT32)
    for layer in range(config["num_hidden_layers"]):
        source, name = f"encoder.layer.{layer}", f"layer{layer}"
        parts = [f"{source}.attention.self.{part}" for part in ("query", "key", "value")]
        rows = [row for part in parts for row in weights.rows(f"{part}.weight")]
        bias = [value for part in parts for value in weights.flat(f"{part}.bias")]
        joined = graph.product(x, f"{name}.joined", rows, bias)
        split = [f"{name}.query", f"{name}.key", f"{name}.value"]
        sizes = graph.constant(f"{name}.sizes", INT64, [3], struct.pack("<3q", *[config["hidden_size"]] * 3))
        graph.nodes.append(node("Split", [joined, sizes], split, axis=2))
        seen = split + ["", "mask"]
        graph.add("MultiHeadAttention", seen, f"{name}.attended", "com.microsoft", num_heads=heads)
        y = graph.linear(f"{name}.attended", f"{name}.out", weights, f"{source}.attention.output.dense")
        x = graph.normalised(y, x, f"{name}.seen", weights, f"{source}.attention.output.LayerNorm", epsilon)
        y = graph.linear(x, f"{name}.wide", weights, f"{source}.intermediate.dense")
        y = graph.add("Gelu", [y], f"{name}.bent", "com.microsoft")
        y = graph.linear(y, f"{name}.narrow", weights, f"{source}.output.dense")
        last = layer + 1 == config["num_hidden_layers"]
        x = graph.normalised(
            y, x, "last_hidden_state" if last else f"{name}.done", weights, f"{source}.output.LayerNorm", epsilon
        )
    return graph


def model(weights, config, location):
    """The bytes of the ONNX file, and of the one beside it that holds its large constants."""
    if config["model_type"] != "bert" or config["hidden_act"] != "gelu":
        raise SystemExit("only BERT encoders with GELU are known here")
    graph = encoder(weights, config, location)
    text = b"".join(field(1, one) for one in graph.nodes) + field(2, "encoder")
    text += b"".join(field(5, one) for one in graph.constants)
    for name in ("input_ids", "attention_mask"):
        text += field(11, value_info(name, INT64, ["batch", "length"]))
    text += field(12, value_info("last_hidden_state", FLOAT, ["batch", "length", config["hidden_size"]]))
    opsets = field(8, field(1, "") + field(2, 17)) + field(8, field(1, "com.microsoft") + field(2, 1))
    return field(1, 8) + field(2, "patina") + field(7, text) + opsets, bytes(graph.outside)


def main():
    if len(sys.argv) != 5:
        raise SystemExit("usage: export.py MODEL.safetensors CONFIG.json OUT.onnx OUT.weights")
    with open(sys.argv[2], encoding="utf-8") as file:
        config = json.load(file)
    for path, data in zip(sys.argv[3:], model(Weights(sys.argv[1]), config, os.path.basename(sys.argv[4]))):
        with open(path, "wb") as file:
            file.write(data)


if __name__ == "__main__":
    main()
