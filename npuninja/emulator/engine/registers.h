/* Where things lie inside a tile, and the fields of its registers. The same numbers as
 * npuninja/arch/registers.py (a test compares them); sources: AM025 (mlir-aie's aie_registers_aie2.json),
 * aie-rt's xaiemlgbl_params.h. */
#ifndef NPUNINJA_REGISTERS_H
#define NPUNINJA_REGISTERS_H

#define COLUMN_SHIFT 25
#define ROW_SHIFT 20
#define TILE_BYTES 0x100000u

#define BD_STRIDE 0x20
#define CHANNEL_STRIDE 8

#define CORE_MEMORY_BYTES 0x10000u
#define CORE_BD 0x1D000u
#define CORE_S2MM_CONTROL 0x1DE00u
#define CORE_MM2S_CONTROL 0x1DE10u
#define CORE_S2MM_STATUS 0x1DF00u
#define CORE_MM2S_STATUS 0x1DF10u
#define CORE_LOCK_VALUE 0x1F000u
#define CORE_LOCK_REQUEST 0x40000u
#define CORE_LOCKS 16
#define CORE_CHANNELS 2
#define CORE_BDS 16

#define MEM_MEMORY_BYTES 0x80000u
#define MEM_BD 0xA0000u
#define MEM_S2MM_CONTROL 0xA0600u
#define MEM_MM2S_CONTROL 0xA0630u
#define MEM_S2MM_STATUS 0xA0660u
#define MEM_MM2S_STATUS 0xA0680u
#define MEM_LOCK_VALUE 0xC0000u
#define MEM_LOCK_REQUEST 0xD0000u
#define MEM_LOCKS 64
#define MEM_CHANNELS 6
#define MEM_BDS 48
#define MEM_BDS_PER_PARITY 24
#define MEM_FIRST_OWN_CHANNEL 4
#define MEM_PAD_VALUE 0xA06E0u

#define SHIM_BD 0x1D000u
#define SHIM_S2MM_CONTROL 0x1D200u
#define SHIM_MM2S_CONTROL 0x1D210u
#define SHIM_S2MM_STATUS 0x1D220u
#define SHIM_MM2S_STATUS 0x1D228u
#define SHIM_LOCK_VALUE 0x14000u
#define SHIM_LOCK_REQUEST 0x40000u
#define SHIM_LOCKS 16
#define SHIM_CHANNELS 2
#define SHIM_BDS 16

#define LOCK_STRIDE 0x10
#define LOCK_MIN (-64)
#define LOCK_MAX 63

#define CORE_SWITCH_MASTERS 0x3F000u
#define CORE_SWITCH_SLAVES 0x3F100u
#define CORE_SWITCH_SLOTS 0x3F200u
#define MEM_SWITCH_MASTERS 0xB0000u
#define MEM_SWITCH_SLAVES 0xB0100u
#define MEM_SWITCH_SLOTS 0xB0200u
#define SHIM_SWITCH_MASTERS 0x3F000u
#define SHIM_SWITCH_SLAVES 0x3F100u
#define SHIM_SWITCH_SLOTS 0x3F200u
#define SWITCH_END 0x400u /* bytes of the masters, slaves and slots together */
#define SHIM_MUX 0x1F000u
#define SHIM_DEMUX 0x1F004u
#define MUX_DMA 1

#define CORE_MASTERS 23
#define MEM_MASTERS 17
#define SHIM_MASTERS 22
#define ARBITERS 8 /* what three bits can name */
#define SLOTS 4

#define CORE_MEMORY_CONTROL 0x16010u  /* bit 0: zeroise */
#define CORE_CONTROL 0x32000u         /* bit 0: enable, bit 1: reset */
#define CORE_PROCESSOR_BUS 0x32038u /* bit 0: the core reaches registers of its tile */
#define CORE_STATUS 0x32004u
#define CORE_STATUS_DONE (1u << 20)
#define CORE_DEBUG_CONTROL0 0x32010u  /* bit 0: halt */
#define CORE_MERGE_CONTROL 0x3F800u   /* deterministic merge, two of 0x10 bytes, enable at +8 */
#define CORE_ACCUMULATOR_CONTROL 0x36060u /* cascade: bit 0 from north or west, bit 1 to south or east */
#define CORE_PROGRAM 0x20000u
#define CORE_PROGRAM_BYTES 0x4000u

#endif
