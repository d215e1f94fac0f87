"""A small vector language for numba: LANES floats as one value, so that the kernels say what the machine
does.

Sums, differences, products and quotients of vectors are written as such. The code that numba's intrinsics
generate is untyped: their callers see vectors, not builders.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, overload, register_model

LANES = 16  # one AVX-512 register of float32; LLVM splits it where registers are narrower


class Vector(types.Type):
    """LANES floats of one dtype."""

    def __init__(self, dtype: types.Type) -> None:
        self.dtype = dtype
        super().__init__(f"Vector({dtype})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Vector) -> None:
        super().__init__(manager, kind, ir.VectorType(manager.lookup(kind.dtype).get_value_type(), LANES))


def _address(context: Any, builder: Any, kind: Any, array: Any, offset: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(
        builder.gep(data, [offset]), context.get_value_type(Vector(kind.dtype)).as_pointer()
    )


def _instruction(function: Any) -> Any:
    """numba's intrinsic: `function` gives the signature and writes the LLVM code. Untyped: callers see
    vectors, not builders.
    """
    return intrinsic(function)


@_instruction
def load(_: Any, array: Any, offset: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(
            _address(context, builder, signature.args[0], *args), align=signature.args[0].dtype.bitwidth // 8
        )

    return Vector(array.dtype)(array, types.intp), generate


@_instruction
def load_spread(_: Any, array: Any, offset: Any, stride: Any) -> Any:
    """Lane j from array[offset + j stride]."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = signature.args[0]
        data = context.make_array(kind)(context, builder, args[0]).data
        place, vector = args[1], ir.Constant(context.get_value_type(signature.return_type), ir.Undefined)
        for lane in range(LANES):
            vector = builder.insert_element(
                vector, builder.load(builder.gep(data, [place])), ir.IntType(32)(lane)
            )
            place = builder.add(place, args[2])
        return vector

    return Vector(array.dtype)(array, types.intp, types.intp), generate


@_instruction
def store(_: Any, array: Any, offset: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address = _address(context, builder, signature.args[0], *args[:2])
        builder.store(args[2], address, align=signature.args[0].dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), generate


def _lanes(indices: list[int]) -> Any:
    return ir.Constant(ir.VectorType(ir.IntType(32), len(indices)), indices)


@_instruction
def splat(_: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        empty = ir.Constant(ir.VectorType(args[0].type, LANES), ir.Undefined)
        return builder.shuffle_vector(
            builder.insert_element(empty, args[0], ir.IntType(32)(0)), empty, _lanes([0] * LANES)
        )

    return Vector(value)(value), generate


@_instruction
def total_of(_: Any, vector: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        rest, n = args[0], LANES
        while n > 1:
            n //= 2
            halves = [
                builder.shuffle_vector(rest, rest, _lanes(list(range(start, start + n)))) for start in (0, n)
            ]
            rest = builder.fadd(*halves)
        return builder.extract_element(rest, ir.IntType(32)(0))

    return vector.dtype(vector), generate


@_instruction
def where_below(_: Any, value: Any, limit: Any, then: Any) -> Any:
    """then where value < limit, else 0."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(
            builder.fcmp_ordered("<", args[0], args[1]), args[2], ir.Constant(args[2].type, None)
        )

    return then(value, limit, then), generate


@_instruction
def next_lane(_: Any, vector: Any) -> Any:
    """Lane j from lane j + 1; the last lane keeps its value."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.shuffle_vector(args[0], args[0], _lanes([*range(1, LANES), LANES - 1]))

    return vector(vector), generate


def _define(symbol: Callable[[Any, Any], Any], instruction: str) -> None:
    @_instruction
    def operation(_: Any, left: Any, right: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            # contract: multiply-add in one instruction, and nothing else: with more freedom the last bits
            # would depend on whether this process compiled the kernels or found them compiled. A division
            # stays one (times a rounded reciprocal is biased)
            return getattr(builder, instruction)(*args, flags=() if instruction == "fdiv" else ("contract",))

        return left(left, right), generate

    @overload(symbol)
    def operator_of(left, right):  # numba compares these names with the lambda's
        if isinstance(left, Vector) and isinstance(right, Vector):
            return lambda left, right: operation(left, right)
        return None


for _symbol, _name in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _define(_symbol, _name)
