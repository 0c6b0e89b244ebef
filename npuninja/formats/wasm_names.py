# ruff: noqa: SIM905
"""Names in WebAssembly: of instructions, as the specification writes them, and of a module's functions.

Source: WebAssembly core specification 2.0, 5.4 (instructions), appendix "Custom Sections"; tool conventions,
Linking.md (symbol table of an object).
"""

from __future__ import annotations

from contextlib import suppress

from npuninja.formats.wasm_code import BULK, SIMD, ByteCursor
from npuninja.formats.wasm_module import WasmModule

_INTEGER = "clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr"
_FLOAT = "abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign"
_COMPARE = "eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u"
_COMPARE_FLOAT = "eq ne lt gt le ge"


def _each(prefix: str, words: str) -> list[str]:
    return [f"{prefix}.{word}" for word in words.split()]


_FROM_0X28 = [
    *("i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u").split(),
    *("i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u").split(),
    *("i32.store i64.store f32.store f64.store i32.store8 i32.store16").split(),
    *("i64.store8 i64.store16 i64.store32 memory.size memory.grow").split(),
    *("i32.const i64.const f32.const f64.const").split(),
    *_each("i32", _COMPARE),
    *_each("i64", _COMPARE),
    *_each("f32", _COMPARE_FLOAT),
    *_each("f64", _COMPARE_FLOAT),
    *_each("i32", _INTEGER),
    *_each("i64", _INTEGER),
    *_each("f32", _FLOAT),
    *_each("f64", _FLOAT),
    *("i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u").split(),
    *(
        "i64.extend_i32_s i64.extend_i32_u i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u"
    ).split(),
    *("f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u f32.demote_f64").split(),
    *("f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u f64.promote_f32").split(),
    *("i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64").split(),
    *("i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s").split(),
]
_BULK = (
    "i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u i64.trunc_sat_f32_s "
    "i64.trunc_sat_f32_u i64.trunc_sat_f64_s i64.trunc_sat_f64_u memory.init data.drop memory.copy "
    "memory.fill table.init elem.drop table.copy table.grow table.size table.fill"
).split()
_LANES = "i8x16 i16x8 i32x4 i64x2 f32x4 f64x2".split()
_SIMD_COMPARE = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u"
_SIMD = {
    0: "v128.load v128.load8x8_s v128.load8x8_u v128.load16x4_s v128.load16x4_u v128.load32x2_s "
    "v128.load32x2_u v128.load8_splat v128.load16_splat v128.load32_splat v128.load64_splat v128.store "
    "v128.const i8x16.shuffle i8x16.swizzle "
    + " ".join(f"{lanes}.splat" for lanes in _LANES)
    + " i8x16.extract_lane_s i8x16.extract_lane_u "
    "i8x16.replace_lane i16x8.extract_lane_s i16x8.extract_lane_u i16x8.replace_lane i32x4.extract_lane "
    "i32x4.replace_lane i64x2.extract_lane i64x2.replace_lane f32x4.extract_lane f32x4.replace_lane "
    "f64x2.extract_lane f64x2.replace_lane "
    + " ".join(_each("i8x16", _SIMD_COMPARE) + _each("i16x8", _SIMD_COMPARE) + _each("i32x4", _SIMD_COMPARE))
    + " "
    + " ".join(_each("f32x4", _COMPARE_FLOAT) + _each("f64x2", _COMPARE_FLOAT))
    + " v128.not v128.and v128.andnot v128.or v128.xor v128.bitselect v128.any_true v128.load8_lane "
    "v128.load16_lane v128.load32_lane v128.load64_lane v128.store8_lane v128.store16_lane v128.store32_lane "
    "v128.store64_lane v128.load32_zero v128.load64_zero f32x4.demote_f64x2_zero f64x2.promote_low_f32x4 "
    "i8x16.abs i8x16.neg i8x16.popcnt i8x16.all_true i8x16.bitmask i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u "
    "f32x4.ceil f32x4.floor f32x4.trunc f32x4.nearest i8x16.shl i8x16.shr_s i8x16.shr_u i8x16.add "
    "i8x16.add_sat_s i8x16.add_sat_u i8x16.sub i8x16.sub_sat_s i8x16.sub_sat_u f64x2.ceil f64x2.floor "
    "i8x16.min_s i8x16.min_u i8x16.max_s i8x16.max_u f64x2.trunc i8x16.avgr_u i16x8.extadd_pairwise_i8x16_s "
    "i16x8.extadd_pairwise_i8x16_u i32x4.extadd_pairwise_i16x8_s i32x4.extadd_pairwise_i16x8_u i16x8.abs "
    "i16x8.neg i16x8.q15mulr_sat_s i16x8.all_true i16x8.bitmask i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u "
    "i16x8.extend_low_i8x16_s i16x8.extend_high_i8x16_s i16x8.extend_low_i8x16_u i16x8.extend_high_i8x16_u "
    "i16x8.shl i16x8.shr_s i16x8.shr_u i16x8.add i16x8.add_sat_s i16x8.add_sat_u i16x8.sub i16x8.sub_sat_s "
    "i16x8.sub_sat_u f64x2.nearest i16x8.mul i16x8.min_s i16x8.min_u i16x8.max_s i16x8.max_u",
    155: "i16x8.avgr_u i16x8.extmul_low_i8x16_s i16x8.extmul_high_i8x16_s i16x8.extmul_low_i8x16_u "
    "i16x8.extmul_high_i8x16_u i32x4.abs i32x4.neg",
    163: "i32x4.all_true i32x4.bitmask",
    167: "i32x4.extend_low_i16x8_s i32x4.extend_high_i16x8_s i32x4.extend_low_i16x8_u "
    "i32x4.extend_high_i16x8_u i32x4.shl i32x4.shr_s i32x4.shr_u i32x4.add",
    177: "i32x4.sub",
    181: "i32x4.mul i32x4.min_s i32x4.min_u i32x4.max_s i32x4.max_u i32x4.dot_i16x8_s",
    188: "i32x4.extmul_low_i16x8_s i32x4.extmul_high_i16x8_s i32x4.extmul_low_i16x8_u "
    "i32x4.extmul_high_i16x8_u i64x2.abs i64x2.neg",
    195: "i64x2.all_true i64x2.bitmask",
    199: "i64x2.extend_low_i32x4_s i64x2.extend_high_i32x4_s i64x2.extend_low_i32x4_u "
    "i64x2.extend_high_i32x4_u i64x2.shl i64x2.shr_s i64x2.shr_u i64x2.add",
    209: "i64x2.sub",
    213: "i64x2.mul i64x2.eq i64x2.ne i64x2.lt_s i64x2.gt_s i64x2.le_s i64x2.ge_s i64x2.extmul_low_i32x4_s "
    "i64x2.extmul_high_i32x4_s i64x2.extmul_low_i32x4_u i64x2.extmul_high_i32x4_u f32x4.abs f32x4.neg",
    227: "f32x4.sqrt f32x4.add f32x4.sub f32x4.mul f32x4.div f32x4.min f32x4.max f32x4.pmin f32x4.pmax "
    "f64x2.abs f64x2.neg",
    239: "f64x2.sqrt f64x2.add f64x2.sub f64x2.mul f64x2.div f64x2.min f64x2.max f64x2.pmin f64x2.pmax "
    "i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u "
    "i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero f64x2.convert_low_i32x4_s "
    "f64x2.convert_low_i32x4_u",
}
_NAMES: dict[int, str] = {
    **{0x00: "unreachable", 0x01: "nop", 0x02: "block", 0x03: "loop", 0x04: "if", 0x05: "else", 0x0B: "end"},
    **{0x0C: "br", 0x0D: "br_if", 0x0E: "br_table", 0x0F: "return", 0x10: "call", 0x11: "call_indirect"},
    **{0x1A: "drop", 0x1B: "select", 0x1C: "select", 0x20: "local.get", 0x21: "local.set", 0x22: "local.tee"},
    **{0x12: "return_call", 0x13: "return_call_indirect", 0xD2: "ref.func"},
    **{
        0x23: "global.get",
        0x24: "global.set",
        0x25: "table.get",
        0x26: "table.set",
        0xD0: "ref.null",
        0xD1: "ref.is_null",
    },
    **{0x28 + i: name for i, name in enumerate(_FROM_0X28)},
    **{BULK | i: name for i, name in enumerate(_BULK)},
    **{SIMD | first + i: name for first, names in _SIMD.items() for i, name in enumerate(names.split())},
}
_FUNCTION_NAMES, _LINKING_SYMBOLS = 1, 8
#: Flags of a symbol of an object.
UNDEFINED, EXPLICIT_NAME = 0x10, 0x40


def instruction_name(opcode: int) -> str:
    """The name of an instruction by its number (`wasm_code.WasmInstruction.opcode`)."""
    return _NAMES.get(opcode) or f"opcode_0x{opcode:x}"


def function_names(module: WasmModule) -> dict[int, str]:
    """Names of functions by number: from the sections `name` and `linking`, the imports and the exports."""
    names: dict[int, str] = {}
    imports = [f"{i.module}.{i.name}" for i in module.imports if i.kind == "function"]
    names.update(enumerate(imports))
    with suppress(IndexError):  # a damaged table of names is no reason to show nothing
        names.update(_from_linking(module, [i.name for i in module.imports if i.kind == "function"]))
    for export in module.exports:
        if export.kind == "function":
            names[export.number] = export.name
    content = module.custom_section("name")
    if content is not None:
        with suppress(IndexError):
            names.update(_from_name_section(ByteCursor(content)))
    return names


def _from_name_section(data: ByteCursor) -> dict[int, str]:
    names: dict[int, str] = {}
    while data.at < len(data.data):
        kind, size = data.byte(), data.number()
        end = data.at + size
        if kind == _FUNCTION_NAMES:
            for _ in range(data.number()):
                number = data.number()
                names[number] = data.text()
        data.at = end
    return names


def _from_linking(module: WasmModule, imported: list[str]) -> dict[int, str]:
    content = module.custom_section("linking")
    if content is None:
        return {}
    data = ByteCursor(content)
    data.number()  # version
    names: dict[int, str] = {}
    while data.at < len(data.data):
        kind, size = data.byte(), data.number()
        end = data.at + size
        if kind == _LINKING_SYMBOLS:
            for _ in range(data.number()):
                symbol_kind, flags = data.byte(), data.number()
                if symbol_kind == 1:  # data
                    data.text()
                    if not flags & UNDEFINED:
                        data.number(), data.number(), data.number()
                elif symbol_kind == 3:  # section
                    data.number()
                else:
                    number = data.number()
                    named = not flags & UNDEFINED or flags & EXPLICIT_NAME
                    text = data.text() if named else imported[number] if number < len(imported) else ""
                    if symbol_kind == 0 and text:
                        names[number] = text
        data.at = end
    return names
