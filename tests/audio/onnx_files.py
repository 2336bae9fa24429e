"""Small onnx files, written by hand: the few fields of onnx.proto that a test needs.

Source: github.com/onnx/onnx, onnx/onnx.proto (field numbers), and its operator set 13.
"""

FLOAT, INT64 = 1, 7  # TensorProto.DataType
_INT_ATTRIBUTE = 2  # AttributeProto.AttributeType


def silero_like(*, state=(2, 1, 128), names=("input", "state", "sr")):
    """A network with Silero's inputs and outputs, whose answers can be told beforehand.

    output = sigmoid(largest sample + largest of the state); stateN = state + output * rate
    """
    sound, memory, rate = names
    nodes = [
        _node("ReduceMax", [sound], ["peak"], keepdims=1),
        _node("ReduceMax", [memory], ["kept"], keepdims=0),
        _node("Add", ["peak", "kept"], ["evidence"]),
        _node("Sigmoid", ["evidence"], ["output"]),
        _node("Cast", [rate], ["hz"], to=FLOAT),
        _node("Mul", ["output", "hz"], ["new"]),
        _node("Add", [memory, "new"], ["stateN"]),
    ]
    inputs = [
        _value(sound, FLOAT, (1, "samples")),
        _value(memory, FLOAT, state),
        _value(rate, INT64, ()),
    ]
    outputs = [_value("output", FLOAT, (1, 1)), _value("stateN", FLOAT, state)]
    graph = b"".join(
        [
            *(_field(1, node) for node in nodes),
            _field(2, b"tiny"),
            *(_field(11, value) for value in inputs),
            *(_field(12, value) for value in outputs),
        ]
    )
    operators = _field(1, b"") + _field(2, 13)
    return _field(1, 8) + _field(7, graph) + _field(8, operators)


def _node(operator, inputs, outputs, **attributes):
    parts = [*(_field(1, name.encode()) for name in inputs)]
    parts += [_field(2, name.encode()) for name in outputs]
    parts.append(_field(4, operator.encode()))
    for name, value in attributes.items():
        attribute = _field(1, name.encode()) + _field(3, value) + _field(20, _INT_ATTRIBUTE)
        parts.append(_field(5, attribute))
    return b"".join(parts)


def _value(name, kind, shape):
    sizes = (_field(2, s.encode()) if isinstance(s, str) else _field(1, s) for s in shape)
    dimensions = b"".join(_field(1, size) for size in sizes)
    tensor = _field(1, kind) + _field(2, dimensions)
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _field(number, value):
    """One field of a protobuf message: a number, or bytes with their length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(number):
    coded = bytearray()
    while number > 0x7F:
        coded.append(number & 0x7F | 0x80)
        number >>= 7
    coded.append(number)
    return bytes(coded)
