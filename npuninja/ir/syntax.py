"""The operations and their custom form, one row each, in the language of `assembly.py`.

Sources: assemblyFormat and argument lists of MLIR-AIE's AIEOps.td and AIEX.td, and of MLIR's own dialects.
Both spellings of what changed between the generations have a row or an alternative.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.ir.assembly import OpDefinition
from npuninja.ir.core import Operation, Value

if TYPE_CHECKING:
    from typing import Iterable

_ROWS = """
builtin.module               (? .sym_name:symname )? attributes{} region
builtin.unrealized_conversion_cast $inputs* : types(inputs) to types(outputs) {} => outputs*

aie.device                   ( .device:AIEDevice ) (? .sym_name:symname )? region(aie.end) {} | sym_name=main
aie.tile                     ( .col:i32 , .row:i32 ) {} => index | controller_id:packet allocation_scheme:str
aie.logical_tile             custom(logical_tile) attributes(tile_type:AIETileType,col:i32,row:i32) {} => index
                             | allocation_scheme:str
aie.plio                     ( .col:i32 ) {} => index
aie.switchbox                ( $tile:index ) region(aie.end) {} => index
aie.shim_switchbox           ( .col:i32 ) region(aie.end) {} => index
aie.shim_mux                 ( $tile:index ) region(aie.end) {} => index
aie.connect                  < .source_bundle:WireBundle : .source_channel:i32 , .dest_bundle:WireBundle :
                             .dest_channel:i32 > {}
aie.amsel                    < .arbiterID:i8 > ( .msel:i8 ) {} => index
aie.masterset                ( .dest_bundle:WireBundle : .dest_channel:i32 , $amsels*:index ) {} => index
                             | keep_pkt_header:bool
aie.packet_rules             ( .source_bundle:WireBundle : .source_channel:i32 ) region(aie.end) {}
aie.rule                     ( .mask:i8 , .value:i8 , $amsel:index ) {}
aie.wire                     ( $source:index : .source_bundle:WireBundle , $dest:index : .dest_bundle:WireBundle ) {}
aie.flow                     ( $source:index , .source_bundle:WireBundle : .source_channel:i32 , $dest:index ,
                             .dest_bundle:WireBundle : .dest_channel:i32 ) {}
aie.packet_flow              ( .ID:i8 ) region(aie.end) {} | keep_pkt_header:bool priority_route:bool
aie.packet_source            < $tile:index , .bundle:WireBundle : .channel:i32 > {}
aie.packet_dest              < $tile:index , .bundle:WireBundle : .channel:i32 > {}
aie.cascade_flow             ( $source_tile:index , $dest_tile:index ) {}
aie.configure_cascade        ( $tile:index , .inputDir:CascadeDir , .outputDir:CascadeDir ) {}

aie.core                     ( $tile:index ) region {} => index
                             | stack_size=1024:i32 link_with:str elf_file:str dynamic_objfifo_lowering:bool
                             emit_parameter_sync_preamble:bool
aie.mem                      ( $tile:index ) region {} => index
aie.memtile_dma              ( $tile:index ) region {} => index
aie.shim_dma                 ( $tile:index ) region {} => index
aie.dma_start                ( .channel_dir:DMAChannelDir , .channel_index:i32 , ^dest , ^chain (? , repeat_count =
                             .repeat_count:i32 )? ) {} => i1 | repeat_count=0:i32 pad_value=0:i32
aie.dma                      ( .channel_dir:DMAChannelDir , .channel_index:i32 ) {} _ [ custom(regions) regions(1) ]
                             => i1 | loop=true repeat_count=0:i32 sym_name:str pad_value=0:i32
aie.dma_bd_packet            ( .packet_type:i32 , .packet_id:i32 ) {}
aie.dma_bd                   ( $buffer : type(buffer) custom(dma_bd)
                             operands(offset*,len*,sizes*,strides*)
                             attributes(offset:i32,len:i32,dimensions,pad_dimensions,pad_value)
                             attributes(static_offset:i32,static_len:i32,static_sizes:integers,static_strides:integers)
                             attributes(offset_written) ) {}
                             | offset+=0:i32 bd_id:i32 next_bd_id:i32 packet:packet burst_length:i32 pad_value=0:i32
                             offset_parameter:sym offset_state_table_idx:ui8
aie.next_bd                  ^dest {}
aie.bd_chain                 .sym_name:symname custom(arguments_region) regions(1)
aie.end                      {}

aie.lock                     ( $tile:index (? , .lockID:i32 )? ) {} => index | init:i32 sym_name:str
aie.use_lock                 ( $lock:index , .action:LockAction custom(lock_value) operands(value*)
                             attributes(value:i32,blocking:LockBlocking) ) {} | acq_en=true
aie.buffer                   ( $tile:index ) {} : type(buffer) custom(initial_value) attributes(initial_value)
                             => buffer | address:i32 mem_bank:i32 sym_name:str aligned=true
aie.external_buffer          {} : type(buffer) => buffer | sym_name:str
aie.shim_dma_allocation      .sym_name:symname ( custom(shim_dma_allocation) operands(tile*)
                             attributes(channel_dir!:DMAChannelDir,channel_index!:i64,col:i64) ) {}
                             | plio=false packet:packet

aie.objectfifo               .sym_name:symname ( custom(objectfifo) operands(producerTile,consumerTiles*) ) {} :
                             .elemType:any (? -> .consumerElemType:any )? custom(init_values)
                             attributes(elemNumber,dimensionsToStream,dimensionsFromStreamPerConsumer,initValues:array)
                             | via_DMA=false plio=false disable_synchronization=false repeat_count:i32
                             iter_count:i32 aie_stream:i32 aie_stream_port:i32 prod_dma_channel:i32 padValue=0:i32
aie.objectfifo_rearm_binding .sym_name:symname channels ( (? $channel_tiles* : types(channel_tiles) )? ) locks (
                             (? $locks* : types(locks) )? ) {}
aie.objectfifo.link          .fifoIns:any -> .fifoOuts:any _ ( .src_offsets:any .dst_offsets:any ) {}
aie.objectfifo.allocate      .objFifo_name:sym ( $delegateTile:index ) {}
aie.objectfifo.register_external_buffers .objFifo_name:sym ( $tile:index , { $externalBuffers* } ) {} : (
                             types(externalBuffers) )
aie.objectfifo.acquire       .objFifo_name:sym ( .port:ObjectFifoPort , .size:i32 ) {} : type(subview) => subview
aie.objectfifo.release       .objFifo_name:sym ( .port:ObjectFifoPort , .size:i32 ) {}
aie.objectfifo.subview.access $subview [ .index:i32 ] {} : type(subview) -> type(output) => output

aie.trace                    .sym_name:symname ( $tile:index ) region(aie.end) {}
aie.trace.mode               .mode:TraceMode {}
aie.trace.event              .event:trace_event (? label = .label:str )? {}
aie.trace.packet             (? id = .id:i32 )? type = .type:TracePacketType {}
aie.trace.port               < .slot:i32 > port = .port:WireBundle channel = .channel:i32 direction =
                             .direction:DMAChannelDir {}
aie.trace.start              custom(trace_trigger) attributes(broadcast:i32,event:trace_event) {}
aie.trace.stop               custom(trace_trigger) attributes(broadcast:i32,event:trace_event) {}
aie.trace.combo_event        < .slot:i32 > .eventA:trace_event .logic:ComboLogic .eventB:trace_event {}
aie.trace.edge_event         < .slot:i32 > custom(edge_event) attributes(event!:trace_event,trigger!:EdgeTrigger) {}
aie.trace.host_config        custom(host_config)
                             attributes(buffer_size!:i32,arg_idx:i32,routing:TraceShimRouting)
                             | reuse_output_buffer=false egress_shim_col=0:i32
aie.trace.start_config       .trace_config:sym {}
aie.trace.config             .sym_name:symname ( $tile:index ) (? packet_type = .packet_type:TracePacketType )?
                             region(aie.end) {}
aie.trace.reg                register = .reg_name:str (? field = .field:str )? value = custom(trace_value)
                             attributes(value!) (? mask = .mask:i32 )? (? comment = .comment:str )? {}

aie.put_cascade              ( $cascadeValue : type(cascadeValue) ) {}
aie.get_cascade              ( ) {} : type(cascadeValue) => cascadeValue
aie.put_stream               ( $channel : type(channel) , $streamValue : type(streamValue) ) {}
aie.get_stream               ( $channel : type(channel) ) {} : type(streamValue) => streamValue
aie.event                    ( .val:i32 ) {}
aie.debug                    ( $arg : type(arg) ) {}

aie.runtime_sequence         (? .sym_name:symname )? custom(sequence) regions(1) | sym_name=sequence
                             emit_parameter_sync_preamble:bool
aiex.runtime_sequence        (? .sym_name:symname )? custom(arguments_region) regions(1) {} | sym_name=sequence
aiex.configure               .symbol:sym region {} | expand_mode:ExpandMode
aiex.run                     .runtime_sequence_symbol:sym ( $args* ) : ( types(args) ) {}
aiex.set_lock                ( $lock:index , .value:i32 ) {}
aiex.dma_configure_task      ( $tile:index , .direction:DMAChannelDir , .channel:i32 (? , .packet:packet )? )
                             (? repeat $repeat_count_val:i32 : i32 )? (? bd_id $bd_id_val:i32 : i32 )? region {} => index
                             | issue_token=false repeat_count=0:i32
aiex.dma_configure_task_for  .alloc:sym (? repeat $repeat_count_val:i32 : i32 )? region {} => index
                             | issue_token=false repeat_count=0:i32
aiex.dma_channel_reset       ( $tile:index , .direction:DMAChannelDir , .channel:i32 ) {}
aiex.dma_channel_reset_for   ( .objfifo:sym ) {}
aiex.core_reset              ( $tile:index ) {}
aiex.scratchpad_parameter    .sym_name:symname : .type:any {} | state_table_idx:ui8 kind:ScratchpadParameterKind
aiex.read_scratchpad_parameter .parameter:sym : type(result) {} => result | buffer:sym
aiex.sync_scratchpad_parameters_from_host {}
aiex.dma_start_bd_chain      .symbol:sym ( $args* ) : ( types(args) ) on _ ( $tile:index , .direction:DMAChannelDir ,
                             .channel:i32 ) {} => index | issue_token=false repeat_count=0:i32
aiex.dma_start_bd_chain_for  .symbol:sym ( $args* ) : ( types(args) ) for _ _ .alloc:sym {} => index
                             | issue_token=false repeat_count=0:i32
aiex.dma_start_task          ( $task:index ) {}
aiex.dma_await_task          ( $task:index ) {}
aiex.dma_free_task           ( $task:index ) {}
aiex.control_packet          {} | address!:ui32 opcode!:i32 stream_id!:i32 length:i32 data:any
aiex.npu.dma_memcpy_nd       ( custom(memcpy_position) attributes(x:i64,y:i64) $memref mixed(offsets):i64
                             mixed(sizes):i64 mixed(strides):i64 (? , packet = .packet:packet )? ) {} : type(memref)
                             | metadata!:sym id!:i64 issue_token=false burst_length=0:i64 d0_zero_before=0:i64
                             d1_zero_before=0:i64 d2_zero_before=0:i64 d0_zero_after=0:i64 d1_zero_after=0:i64
                             d2_zero_after=0:i64 offset_parameter:sym offset_state_table_idx:ui8
aiex.getTile                 ( $col:index , $row:index ) {} => index
aiex.npu.dma_wait            {} | symbol!:sym
aiex.npu.sync                custom(numbers) operands(numbers*) {} custom(number_types)
                             | column:i32 row:i32 direction:i32 channel:i32 column_num:i32 row_num:i32
aiex.npu.write32             custom(numbers) operands(numbers*) {} custom(number_types)
                             | address:ui32 value:ui32 buffer:sym column:i32 row:i32
aiex.npu.maskwrite32         custom(numbers) operands(numbers*) {} custom(number_types)
                             | address:ui32 value:ui32 mask:ui32 buffer:sym column:i32 row:i32
aiex.npu.assert_bd_field     ( $value:i32 ) {} : i32 | max!:i32
aiex.npu.assert_bd_divisible ( $value:i32 ) {} : i32 | divisor!:i32 allow_unit:unit
aiex.npu.blockwrite          ( $data ) {} : type(data) | address!:ui32 buffer:sym column:i32 row:i32
aiex.npu.address_patch       custom(patch_numbers) operands(numbers*) {} | addr!:ui32 arg_idx!:i32 arg_plus:i32
aiex.npu.push_queue          ( .column:i32 , .row:i32 , .direction:DMAChannelDir : .channel:i32 ) custom(queue_numbers)
                             operands(numbers*) {} custom(number_types)
                             | issue_token!:bool repeat_count:i32 bd_id:i32
aiex.npu.writebd             {}
                             | column!:i32 row:i32 bd_id!:i32 buffer_length!:i32 buffer_offset!:i32 enable_packet!:i32
                             out_of_order_id!:i32 packet_id!:i32 packet_type!:i32 d0_size!:i32 d0_stride!:i32
                             d1_size!:i32 d1_stride!:i32 d2_size!:i32 d2_stride!:i32 burst_length=0:i32
                             iteration_current!:i32 iteration_size!:i32 iteration_stride!:i32 next_bd!:i32
                             use_next_bd!:i32 valid_bd!:i32 lock_rel_val!:i32 lock_rel_id!:i32 lock_acq_enable!:i32
                             lock_acq_val!:i32 lock_acq_id!:i32 d0_zero_before:i32 d1_zero_before:i32
                             d2_zero_before:i32 d0_zero_after:i32 d1_zero_after:i32 d2_zero_after:i32
aiex.npu.rtp_write           ( .buffer:sym , .index:ui32 , custom(rtp_number) operands(numbers*) attributes(value:i32) )
                             {} custom(number_types)
aiex.npu.load_pdi            {} | id:i32 size:i32 address:ui64 device_ref:sym expand_mode:ExpandMode
aiex.npu.create_scratchpad   {} | size!:ui32 usage_type=0:ui8
aiex.npu.update_from_scratchpad (? < .func:StateTableFunc > )? {}
                             | state_table_idx!:ui8 func_arg=0:ui32 address!:ui32 buffer:sym column:i32 row:i32
aiex.npu.preempt             {} | level!:ui8
aiex.broadcast_packet        ( $tile:index , .bundle:WireBundle : .channel:i32 ) region(aie.end) {}
aiex.bp_id                   ( .ID:i8 ) region(aie.end) {}
aiex.bp_dest                 < $tile:index , .bundle:WireBundle : .channel:i32 > {}
aiex.multicast               ( $tile:index , .bundle:WireBundle : .channel:i32 ) region(aie.end) {}
aiex.multi_dest              < $tile:index , .bundle:WireBundle : .channel:i32 > {}

func.func                    custom(function) regions(1)
                             attributes(sym_name!:str,function_type!,sym_visibility:str,arg_attrs,res_attrs)
func.call                    .callee:sym ( $args* ) {} : functype(args) => results*
func.constant                {} .value:sym : type(result) => result
func.call_indirect           $callee ( $args* ) {} : custom(callee_type) => results*
func.return                  {} (? $args* : types(args) )?

cf.br                        ^dest() {}
cf.cond_br                   $condition:i1 , ^true() , ^false() {}
cf.switch                    $flag : type(flag) , [ custom(switch) attributes(case_values) ] {}
cf.assert                    $arg:i1 , .msg:str {}

scf.for                      custom(scf_for) regions(1) operands(lowerBound,upperBound,step,initArgs*)
                             terminator(scf.yield) {} => results*
scf.if                       $condition:i1 custom(result_list) custom(if_regions) regions(1) terminator(scf.yield) {}
                             => results*
scf.while                    custom(scf_while) regions(2) operands(inits*) {} => results*
scf.index_switch             $arg:index {} custom(result_list) custom(index_switch) regions(1) attributes(cases!:integers)
                             => results*
scf.condition                ( $condition:i1 ) {} (? $args* : types(args) )?
scf.yield                    {} (? $args* : types(args) )?
scf.execute_region           custom(result_list) region {} => results*

affine.for                   custom(affine_for) regions(1) terminator(affine.yield)
                             operands(lowerBoundOperands*,upperBoundOperands*,inits*)
                             attributes(lowerBoundMap!,upperBoundMap!,step:index) {} => results*
affine.if                    custom(affine_if) regions(1) terminator(affine.yield) operands(operands*)
                             attributes(condition!) {} => results*
affine.load                  $memref custom(affine_subscript) operands(indices*) attributes(map!) {} : type(memref)
                             => element(memref)
affine.store                 $value , $memref custom(affine_subscript) operands(indices*) attributes(map!) {} :
                             custom(store_types)
affine.apply                 custom(affine_apply) operands(mapOperands*) attributes(map!) {} => index
affine.min                   custom(affine_apply) operands(mapOperands*) attributes(map!) {} => index
affine.max                   custom(affine_apply) operands(mapOperands*) attributes(map!) {} => index
affine.yield                 {} (? $args* : types(args) )?

memref.alloc                 custom(alloc) operands(dynamicSizes*,symbolOperands*) {} : type(memref) => memref
                             | alignment:i64
memref.alloca                custom(alloc) operands(dynamicSizes*,symbolOperands*) {} : type(memref) => memref
                             | alignment:i64
memref.dealloc               $memref {} : type(memref)
memref.load                  $memref [ $indices*:index ] {} : type(memref) => element(memref)
                             | nontemporal=false alignment:i64
memref.store                 $value , $memref [ $indices*:index ] {} : custom(store_types)
                             | nontemporal=false alignment:i64
memref.cast                  $source {} : type(source) to type(result) => result
memref.memory_space_cast     $source {} : type(source) to type(result) => result
memref.copy                  $source , $target {} : type(source) to type(target)
memref.dim                   {} $source , $index:index : type(source) => index
memref.rank                  {} $memref : type(memref) => index
memref.get_global            .name:sym : type(result) {} => result
memref.global                custom(global)
                             attributes(sym_name!:str,sym_visibility:str,constant:unit,type!,initial_value) {}
                             | alignment:i64
memref.subview               $source mixed(offsets) _ mixed(sizes) _ mixed(strides) {} : type(source) to type(result)
                             => result
memref.reinterpret_cast      $source to offset ~ : _ mixed(offsets) , sizes ~ : _ mixed(sizes) , strides ~ : _
                             mixed(strides) {} : type(source) to type(result) => result
memref.view                  $source [ $byte_shift:index ] ~ [ $sizes*:index ] {} : type(source) to type(result)
                             => result
memref.assume_alignment      $memref , .alignment:i32 {} : type(memref) => named(memref)
memref.collapse_shape        $src .reassociation:any {} : type(src) into type(result) => result
memref.expand_shape          $src .reassociation:any output_shape _ mixed(output_shape) {} : type(src) into
                             type(result) => result
memref.extract_aligned_pointer_as_index $source : type(source) -> index {} => index

vector.load                  $base [ $indices*:index ] {} : type(base) , type(result) => result
vector.store                 $valueToStore , $base [ $indices*:index ] {} : type(base) , type(valueToStore)
vector.transfer_read         $source [ $indices*:index ] , $padding {} : custom(transfer_read_types) => result
vector.transfer_write        $vector , $dest [ $indices*:index ] {} : type(vector) , type(dest)
aievec.broadcast_scalar      $source {} : type(source) , type(result) => result
vector.broadcast             $source {} : type(source) to type(vector) => vector
vector.splat                 $input {} : custom(splat_types) => aggregate
vector.extract               $source mixed(position) {} : type(result) from type(source) => result
vector.insert                $valueToStore , $dest mixed(position) {} : type(valueToStore) into type(dest) => same(dest)
vector.extractelement        $vector [ $position : type(position) ] {} : type(vector) => element(vector)
vector.extract_strided_slice $vector {} : type(vector) to type(result) => result
vector.fma                   $lhs , $rhs , $acc {} : type(lhs,rhs,acc) => same(lhs)
vector.reduction             < .kind:combining > , $vector (? , $acc )? {} : type(vector) into type(dest,acc) => dest
vector.shape_cast            $source {} : type(source) to type(result) => result
vector.bitcast               $source {} : type(source) to type(result) => result

arith.constant               custom(constant) attributes(value!) => value
arith.cmpi                   .predicate:CmpIPredicate , $lhs , $rhs {} : type(lhs,rhs) => i1(lhs)
arith.cmpf                   .predicate:CmpFPredicate , $lhs , $rhs (? fastmath < .fastmath:fastmath > )? {} :
                             type(lhs,rhs) => i1(lhs) | fastmath=none:fastmath
arith.select                 $condition , $true_value , $false_value {} : custom(select_types) => same(true_value)
arith.negf                   $operand (? fastmath < .fastmath:fastmath > )? {} : type(operand) => same(operand)
                             | fastmath=none:fastmath
arith.addui_extended         $lhs , $rhs {} : type(lhs,rhs) , type(overflow) => same(lhs) overflow
arith.mulsi_extended         $lhs , $rhs {} : type(lhs,rhs) => same(lhs) same(lhs)
arith.mului_extended         $lhs , $rhs {} : type(lhs,rhs) => same(lhs) same(lhs)
arith.truncf                 $in (? .roundingmode:RoundingMode )? (? fastmath < .fastmath:fastmath > )? {} : type(in)
                             to type(out) => out | fastmath=none:fastmath
arith.extf                   $in (? fastmath < .fastmath:fastmath > )? {} : type(in) to type(out) => out
                             | fastmath=none:fastmath
arith.trunci                 $in (? overflow < .overflowFlags:overflow > )? {} : type(in) to type(out) => out
                             | overflowFlags=none:overflow

math.fma                     $a , $b , $c (? fastmath < .fastmath:fastmath > )? {} : type(a,b,c) => same(a)
                             | fastmath=none:fastmath
math.fpowi                   $lhs , $rhs (? fastmath < .fastmath:fastmath > )? {} : type(lhs) , type(rhs) => same(lhs)
                             | fastmath=none:fastmath
index.constant               .value:index {} => index
index.cmp                    .pred:IndexCmpPredicate ( $lhs:index , $rhs:index ) {} => i1
ub.poison                    {} : type(result) => result
"""

_FASTMATH = "(? fastmath < .fastmath:fastmath > )?"
_OVERFLOW = "(? overflow < .overflowFlags:overflow > )?"

# Families of operations with one form: (row with @ for the name, names).
_FAMILIES: tuple[tuple[str, str, str], ...] = (
    (
        "arith",
        "$lhs , $rhs {} : type(lhs,rhs) => same(lhs)",
        "andi ori xori divsi divui ceildivsi ceildivui floordivsi remsi remui maxsi maxui minsi minui "
        "shrsi shrui",
    ),
    (
        "arith",
        f"$lhs , $rhs {_OVERFLOW} {{}} : type(lhs,rhs) => same(lhs) | overflowFlags=none:overflow",
        "addi subi muli shli",
    ),
    (
        "arith",
        f"$lhs , $rhs {_FASTMATH} {{}} : type(lhs,rhs) => same(lhs) | fastmath=none:fastmath",
        "addf subf mulf divf remf maximumf minimumf maxnumf minnumf",
    ),
    (
        "arith",
        "$in {} : type(in) to type(out) => out",
        "extsi extui sitofp uitofp fptosi fptoui bitcast index_cast index_castui",
    ),
    (
        "math",
        f"$operand {_FASTMATH} {{}} : type(operand) => same(operand) | fastmath=none:fastmath",
        "absf acos acosh asin asinh atan atanh cbrt ceil cos cosh erf erfc exp exp2 expm1 floor log log10 "
        "log1p log2 round roundeven rsqrt sin sinh sqrt tan tanh trunc",
    ),
    (
        "index",
        "$lhs:index , $rhs:index {} => index",
        "add sub mul divs divu ceildivs ceildivu floordivs rems remu maxs maxu mins minu shl shrs shru "
        "and or xor",
    ),
    ("index", "$input {} : type(input) to type(output) => output", "casts castu"),
    ("math", "$operand {} : type(operand) => same(operand)", "absi ctlz ctpop cttz"),
    (
        "math",
        f"$lhs , $rhs {_FASTMATH} {{}} : type(lhs,rhs) => same(lhs) | fastmath=none:fastmath",
        "atan2 copysign powf",
    ),
    ("math", "$lhs , $rhs {} : type(lhs,rhs) => same(lhs)", "ipowi"),
)

# Names that MLIR writes without their dialect.
SHORT_NAMES = {
    "module": "builtin.module",
    "return": "func.return",
    "call": "func.call",
    "unrealized_conversion_cast": "builtin.unrealized_conversion_cast",
}

# Operations whose region cannot see values from outside.
ISOLATED = frozenset({"builtin.module", "aie.device", "func.func"})

_rows: dict[str, str] = {}
for _line in _ROWS.replace("\n   ", " ").splitlines():  # a row goes on in indented lines
    if _line:
        _name, _form = _line.split(None, 1)
        _rows[_name] = _form
for _dialect, _form, _names in _FAMILIES:
    for _name in _names.split():
        _rows[f"{_dialect}.{_name}"] = _form

_definitions: dict[str, OpDefinition] = {}


def definition(name: str) -> OpDefinition | None:
    """The definition of an operation, compiled when first asked for; None when there is no such operation."""
    known = _definitions.get(name)
    if known is None:
        row = _rows.get(name)
        if row is None:
            return None
        known = _definitions[name] = OpDefinition(name, row)
    return known


def group(op: Operation, name: str) -> list[Value]:
    """The operands of an operation that its definition calls `name`; KeyError when there is no such group."""
    found = definition(op.name)
    if found is None:
        raise KeyError(op.name)
    return found.group(op, name)


def operand(op: Operation, name: str) -> Value:
    """The one operand that an operation's definition calls `name`; KeyError when there is none."""
    found = group(op, name)
    if len(found) != 1:
        raise KeyError(name)
    return found[0]


def operation_names() -> Iterable[str]:
    """The names of all known operations."""
    return _rows.keys()
