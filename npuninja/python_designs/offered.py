"""The table of what a design can import: `site/aie` serves it, the documentation shows it.

A row is a module of the bindings and where its names come from: a module of this package with names (`name`
or `theirs=ours`), or with `*` for all of its table NAMES (`*OTHER`: all of its table OTHER); or `=module`:
from where that row has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from npuninja.records import NamedTuple

#: Where it is documented which names there are.
PAGE = "docs/python-designs.md"
_OWN = "npuninja.python_designs."


class NameSource(NamedTuple):
    """Names of one of our modules: theirs -> ours, or None for all of its table NAMES."""

    module: str
    names: dict[str, str] | None


_ROWS = """
aie
aie.ir                            construct.types: Type IntegerType IndexType FloatType F16Type BF16Type F32Type F64Type
                                  ShapedType MemRefType StridedLayoutAttr VectorType RankedTensorType FunctionType;
                                  construct.insertion: InsertionPoint Context Location Module; construct.operations: Block
                                  Region OpView Operation=OpView MLIRError; construct.values: Value; construct.attribute_names:
                                  *; construct.attribute_names: AttrBuilder
aie._mlir_libs                    construct.insertion: get_dialect_registry
aie.util                          iron.lists: single_elem_or_list_to_list
aie.dialects
aie.dialects.aie                  dialects.aie: *; tracing.operations: TraceMode TracePacketType TraceShimRouting ComboLogic
                                  EdgeTrigger trace trace_mode trace_event trace_packet trace_port trace_start trace_stop
                                  trace_combo_event trace_edge_event trace_start_config trace_host_config; construct.type_names:
                                  T=; construct.names: *
aie.dialects.aiex                 dialects.aiex: *; dialects.aie: aie= DMAChannelDir LockAction ObjectFifoCreateOp TileOp;
                                  construct.attribute_names: AttrBuilder; construct.type_names: T=; construct.names: *
aie.dialects._aie_enum_gen        dialects.aie: AIEDevice AIETileType CascadeDir DMAChannelDir LockAction LockBlocking
                                  ObjectFifoPort WireBundle; construct.names: AIEArch; tracing.operations: TraceMode
                                  TracePacketType TraceShimRouting ComboLogic EdgeTrigger
aie.dialects._aie_ops_gen         dialects.aie: *
aie.dialects._aiex_ops_gen        dialects.aiex: *
aie.dialects.scf                  dialects.scf: *
aie.dialects.func                 dialects.func: *
aie.dialects.arith                dialects.standard: *ARITH
aie.dialects.memref               dialects.standard: *MEMREF
aie.dialects.vector               dialects.standard: *VECTOR
aie.dialects.math                 dialects.standard: *MATH
aie.dialects.cf                   dialects.standard: *CF
aie.dialects.affine               dialects.standard: *AFFINE
aie.dialects.builtin              dialects.standard: *BUILTIN
aie.dialects.index                dialects.standard: *INDEX
aie.extras
aie.extras.context                construct.insertion: mlir_mod_ctx
aie.extras.types                  construct.type_names: *
aie.extras.runtime
aie.extras.runtime.passes         host.pipelines: Pipeline run_pipeline MlirCompilerError; host.pass_manager: PassManager
aie.extras.util                   construct.operations: view_of; construct.finding: find_ops; construct.types:
                                  np_dtype_to_mlir_type np_ndarray_type_get_dtype np_ndarray_type_get_shape
                                  np_ndarray_type_to_memref_type
aie.extras.dialects
aie.extras.dialects.arith         =aie.dialects.arith
aie.extras.dialects.memref        =aie.dialects.memref
aie.extras.dialects.vector        =aie.dialects.vector
aie.extras.dialects.scf           =aie.dialects.scf
aie.extras.dialects.func          =aie.dialects.func
aie.extras.dialects.ext
aie.extras.dialects.ext.arith     =aie.dialects.arith
aie.extras.dialects.ext.memref    =aie.dialects.memref
aie.extras.dialects.ext.vector    =aie.dialects.vector
aie.extras.dialects.ext.scf       =aie.dialects.scf
aie.extras.dialects.ext.func      =aie.dialects.func
aie.iron                          iron.object_fifo: ObjectFifo PadDims StreamDims; iron.worker: Worker WorkerRuntimeBarrier;
                                  iron.either_runtime: Runtime; iron.runtime: RuntimeData; iron.sequence: TaskGroup Task;
                                  iron.program: Program; iron.kernel: Kernel ExternalFunction; iron.buffer: Buffer GlobalBuffer
                                  LocalBuffer; iron.routing: Acquire Bd BdIteration CascadeFlow DmaChannel Flow Lock PacketDest
                                  PacketFlow Release TileDma; iron.dtype: str_to_dtype dtype_to_str; iron.scratchpad:
                                  ScratchpadParameter sync_parameters; host.jit: jit In Out InOut CompileTime
                                  Compile=CompileTime CompilableDesign CallableDesign compileconfig; compiling:
                                  compile_context get_compile_arg; iron.current_device: set_current_device get_current_device
                                  ensure_current_device detect_npu_device; =aie.iron.tensor; host.tensors: ceildiv
                                  set_tensor_class
aie.iron.kernels                  kernels.factory: *
aie.iron.kernels._common          kernels.external: *THEIRS
aie.iron.kernels.activation       =aie.iron.kernels
aie.iron.kernels.conv             =aie.iron.kernels
aie.iron.kernels.eltwise          =aie.iron.kernels
aie.iron.kernels.linalg           =aie.iron.kernels
aie.iron.kernels.reduce           =aie.iron.kernels
aie.iron.kernels.vision           =aie.iron.kernels
aie.iron.algorithms               algorithms.elementwise: for_each transform transform_binary transform_parallel
                                  transform_parallel_binary for_each_typed=for_each transform_typed=transform
                                  transform_binary_typed=transform_binary transform_parallel_typed=transform_parallel
                                  transform_parallel_binary_typed=transform_parallel_binary;
                                  algorithms.rows: reduce reduce_typed=reduce row_at_a_time row_at_a_time_tiled
                                  row_at_a_time_with_skip sliding_3row
aie.iron.algorithms.conv_pipeline =aie.iron.algorithms
aie.iron.algorithms.for_each      =aie.iron.algorithms
aie.iron.algorithms.reduce        =aie.iron.algorithms
aie.iron.algorithms.transform     =aie.iron.algorithms
aie.iron.jit                      host.jit: jit
aie.iron.tensor                   host.tensors: tensor zeros ones full randint rand arange zeros_like
aie.iron.lock                     iron.routing: Lock
aie.iron.buffer                   iron.buffer: Buffer GlobalBuffer LocalBuffer
aie.iron.globalbuffer             iron.buffer: GlobalBuffer
aie.iron.localbuffer              iron.buffer: LocalBuffer
aie.iron.controlflow              dialects.scf: range_ yield_
aie.iron.dataflow                 iron.object_fifo: ObjectFifo PadDims StreamDims; iron.object_fifo_handle: ObjectFifoHandle;
                                  iron.object_fifo_link: ObjectFifoLink ObjectFifoEndpoint; iron.routing: Acquire Bd BdIteration
                                  CascadeFlow DmaChannel Flow PacketDest PacketFlow Release TileDma
aie.iron.dataflow.cascadeflow     iron.routing: CascadeFlow
aie.iron.dataflow.flow            iron.routing: Flow PacketDest PacketFlow
aie.iron.dataflow.tile_dma        iron.routing: Acquire Bd BdIteration DmaChannel Release TileDma
aie.iron.dataflow.endpoint        iron.object_fifo_link: ObjectFifoEndpoint
aie.iron.dataflow.objectfifo      iron.object_fifo: ObjectFifo; iron.object_fifo_handle: ObjectFifoHandle;
                                  iron.object_fifo_link: ObjectFifoLink
aie.iron.device                   =aie.iron.device.device; host.arguments: device_from_args
aie.iron.device.device            iron.device: *DEVICES; iron.device: Tile PlacementTile AnyShimTile AnyMemTile AnyComputeTile
                                  Device from_name
aie.iron.device.tile              iron.device: Tile AnyShimTile AnyMemTile AnyComputeTile PlacementTile
aie.iron.dtype                    iron.dtype: dtype_map str_to_dtype dtype_to_str
aie.iron.kernel                   iron.kernel: BaseKernel Kernel ExternalFunction
aie.iron.placers                  iron.placer: Placer SequentialPlacer
aie.iron.program                  iron.program: Program
aie.iron.resolvable               iron.resolvable: Resolvable NotResolvedError
aie.iron.runtime                  iron.either_runtime: Runtime; iron.runtime: RuntimeData RuntimeTaskGroup; iron.sequence:
                                  TaskGroup Task; iron.building_now: IronRuntimeError; iron.scratchpad: sync_parameters
aie.iron.runtime.runtime          iron.either_runtime: Runtime; iron.building_now: IronRuntimeError; iron.scratchpad:
                                  sync_parameters
aie.iron.runtime.data             iron.runtime: RuntimeData
aie.iron.runtime.taskgroup        iron.runtime: RuntimeTaskGroup; iron.sequence: TaskGroup
aie.iron.runtime.endpoint         iron.runtime: RuntimeEndpoint
aie.iron.scratchpad_parameter     iron.scratchpad: ScratchpadParameter sync_parameters
aie.iron.worker                   iron.worker: Worker WorkerRuntimeBarrier
aie.utils                         =aie.iron.tensor; host.tensors: ceildiv set_tensor_class NpuTensor Tensor; iron.current_device:
                                  get_current_device set_current_device ensure_current_device; host.runtime: NPUKernel
                                  HostRuntime TraceConfig DefaultNPURuntime DEFAULT_TENSOR_CLASS has_xrt has_hrx
                                  cleanup_npu_runtime _get_default_npu_runtime=default_runtime npu_runtime_folds_ddr_addr_offset
aie.utils.benchmark               host.checks: run_iters print_benchmark Stats BenchmarkResult
aie.utils.callabledesign          host.jit: CallableDesign
aie.utils.compile                 host.compile_tools: NPU_CACHE_HOME compile_mlir_module resolve_target_arch
aie.utils.compile.jit             host.jit: In Out InOut CompileTime Compile=CompileTime CompilableDesign compileconfig;
                                  compiling: compile_context get_compile_arg
aie.utils.compile.jit.compilabledesign host.jit: CompilableDesign
aie.utils.compile.jit.compileconfig host.jit: compileconfig
aie.utils.compile.jit.context     compiling: compile_context get_compile_arg
aie.utils.compile.jit.markers     host.jit: In Out InOut CompileTime Compile=CompileTime
aie.utils.compile.utils           =aie.utils.compile
aie.utils.config                  install_paths: *
aie.utils.hostruntime             host.runtime: NPUKernel HostRuntime TraceConfig DefaultNPURuntime; host.tensors: NpuTensor
                                  Tensor; iron.current_device: set_current_device; host.checks: bfloat16_safe_allclose
aie.utils.hostruntime.argparse    host.arguments: add_compile_args add_benchmark_args add_trace_arg add_runtime_args
                                  device_from_args DEFAULT_DEV_CHOICES
aie.utils.hostruntime.cli         host.command_line: run_design_cli
aie.utils.hostruntime.hostruntime host.runtime: HostRuntime HostRuntimeError
aie.utils.hostruntime.tensor_class host.tensors: NpuTensor Tensor XRTTensor CPUOnlyTensor
aie.utils.hostruntime.xrtruntime
aie.utils.hostruntime.xrtruntime.hostruntime host.runtime: XRTHostRuntime=HostRuntime CachedXRTRuntime=HostRuntime
                                  HostRuntimeError
aie.utils.hostruntime.xrtruntime.tensor host.tensors: XRTTensor=NpuTensor
aie.passmanager                   host.pass_manager: PassManager
aie.utils.jit                     host.jit: jit
aie.utils.ml                      host.shaping: DataShaper; host.learning: CSVLogger CSVLoggerError load_class_label
                                  run_conv_torch_test
aie.utils.npukernel               host.runtime: NPUKernel
aie.utils.tensor_factory          =aie.iron.tensor; host.tensors: ceildiv set_tensor_class; host.runtime:
                                  npu_runtime_folds_ddr_addr_offset
aie.utils.regdb                   host.register_database: AIEAddressDecoder MLIRModuleAnnotator parse_address_arg main
aie.utils.test                    host.test_options: create_default_argparser parse_args parse_trace_args create_npu_kernel;
                                  host.older_xrt: init_xrt_load_kernel
aie.utils.trace                   =aie.utils.trace.setup; tracing.events: *; host.runtime: TraceConfig; =aie.utils.trace.utils;
                                  host.trace_reader: parse_trace
aie.utils.trace.config            host.runtime: TraceConfig
aie.utils.trace.events            tracing.events: *
aie.utils.trace.events.aie        tracing.first_events: *
aie.utils.trace.events.aie2       tracing.events: *
aie.utils.trace.events.aie2p      tracing.events: *
aie.utils.trace.setup             tracing.registers: *; tracing.operations: configure_trace start_trace
aie.utils.trace.utils             host.trace_files: write_out_trace extract_trace get_cycles get_cycles_summary
                                  print_cycles_summary parity extract_tile pack4bytes create_ctrl_pkt; host.trace_reader:
                                  split_trace_segments
aie.utils.trace.parse             =aie.utils.trace.utils; host.trace_reader: parse_trace main
aie.utils.trace_events_enum       tracing.events: *
aie.utils.verify                  host.checks: nearly_equal count_mismatches assert_pass assert_close_with_benchmark
aie.utils.xrt                     host.older_xrt: AIE_Application AIE_Application_Error AIE_Buffer setup_aie execute
                                  setup_and_run_aie init_xrt_load_kernel read_insts read_insts_binary read_insts_sequence;
                                  host.trace_files: extract_trace write_out_trace
aie.xrt                           =aie.utils.xrt
aie.helpers
aie.helpers.util                  construct.types: np_dtype_to_mlir_type np_ndarray_type_get_dtype np_ndarray_type_get_shape
                                  np_ndarray_type_to_memref_type mlir_type_to_np_dtype try_convert_np_type_to_mlir_type
                                  v8bfp16ebs8 v16bfp16ebs16; construct.values: infer_mlir_type; iron.lists:
                                  single_elem_or_list_to_list flatten_fn_args pack_pad_value fold_constant_operand
aie.helpers.dialects
aie.helpers.dialects.scf          =aie.dialects.scf
aie.helpers.dialects.func         =aie.dialects.func
aie.helpers.dialects.ext
aie.helpers.dialects.ext.scf      =aie.dialects.scf
aie.helpers.dialects.ext.func     =aie.dialects.func
aie.helpers.taplib                taplib.pattern: TensorAccessPattern; taplib.sequence: TensorAccessSequence; taplib.tiler:
                                  TensorTiler2D
aie.helpers.taplib.tap            taplib.pattern: TensorAccessPattern
aie.helpers.taplib.tas            taplib.sequence: TensorAccessSequence
aie.helpers.taplib.tensortiler2d  taplib.tiler: TensorTiler2D
aie.helpers.taplib.utils          taplib.pattern: ceildiv validate_and_clean_sizes_strides=checked_sizes_strides
                                  validate_offset=checked_offset validate_tensor_dims=checked_dims
"""


def _source(text: str) -> NameSource:
    module, _, words = text.partition(":")
    names: dict[str, str] = {}
    for word in words.split():
        if word.startswith("*"):
            return NameSource(f"{_OWN}{module}#{word[1:] or 'NAMES'}", None)
        theirs, has_own, ours = word.partition("=")
        names[theirs] = ours if has_own else theirs
    return NameSource(_OWN + module, names)


def _rows(text: str) -> dict[str, str]:
    joined: list[str] = []
    for line in text.splitlines():
        if line.startswith(" "):
            joined[-1] += " " + line.strip()
        elif line:
            joined.append(line)
    split = [line.partition(" ") for line in joined]
    return {module: rest for module, _, rest in split}


class OfferedNames(Mapping[str, tuple[NameSource, ...]]):
    """Module of the bindings -> where its names come from. A row is read when needed: designs need few."""

    def __init__(self, rows: dict[str, str]) -> None:
        self._rows = rows

    def __getitem__(self, module: str) -> tuple[NameSource, ...]:
        found: list[NameSource] = []
        for part in filter(None, map(str.strip, self._rows[module].split(";"))):
            found += self[part[1:]] if part.startswith("=") else [_source(part)]
        return tuple(found)

    def __contains__(self, module: object) -> bool:
        return module in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


MODULES = OfferedNames(_rows(_ROWS))
