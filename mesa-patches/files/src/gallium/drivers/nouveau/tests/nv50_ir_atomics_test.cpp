/* SPDX-License-Identifier: MIT */

/** @file
 *
 * Compiles a kernel for each line of nv50_ir_atomics.txt and compares what it makes of
 * the operation with what the line says.
 *
 * With NV50_IR_ATOMICS_DUMP=DIR the code goes to files there, for a disassembler.
 */

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "compiler/nir/nir.h"
#include "compiler/nir/nir_builder.h"
#include "nv50_ir_driver.h"
#include "util/ralloc.h"
#include "util/u_memory.h"

namespace {

struct Word {
   unsigned index;
   uint32_t value, mask;
};

typedef std::vector<Word> Pattern;

struct Line {
   unsigned chipset;
   std::string operation;
   std::vector<Pattern> patterns;
   std::string text;
};

std::vector<std::string>
split(const std::string &text, char separator)
{
   std::vector<std::string> parts;
   std::stringstream stream(text);

   for (std::string part; std::getline(stream, part, separator);) {
      const size_t first = part.find_first_not_of(' ');
      const size_t last = part.find_last_not_of(' ');
      parts.push_back(first == std::string::npos ? "" : part.substr(first, last - first + 1));
   }
   return parts;
}

Pattern
parsePattern(const std::string &text)
{
   Pattern pattern;

   for (const std::string &word : split(text, ',')) {
      Word w;
      if (sscanf(word.c_str(), "%u:%x/%x", &w.index, &w.value, &w.mask) != 3)
         ADD_FAILURE() << "not a word: " << word;
      else
         pattern.push_back(w);
   }
   return pattern;
}

std::vector<Line>
readTable(const char *path)
{
   std::vector<Line> lines;
   std::ifstream file(path);

   for (std::string text; std::getline(file, text);) {
      if (text.empty() || text[0] == '#')
         continue;

      const std::vector<std::string> columns = split(text, '|');
      if (columns.size() != 5) {
         ADD_FAILURE() << "not five columns: " << text;
         continue;
      }
      for (const std::string &chipset : split(columns[0], ',')) {
         Line line = {(unsigned)strtoul(chipset.c_str(), NULL, 16), columns[1], {}, text};
         for (const std::string &pattern : split(columns[3], ';'))
            line.patterns.push_back(parsePattern(pattern));
         lines.push_back(line);
      }
   }
   return lines;
}

unsigned
insnWords(unsigned chipset)
{
   return chipset >= NVISA_GV100_CHIPSET ? 4 : 2;
}

bool
matches(const uint32_t *insn, const Pattern &pattern)
{
   for (const Word &word : pattern)
      if ((insn[word.index] & word.mask) != word.value)
         return false;
   return true;
}

/* Whether an instruction accesses memory that is not constant, or is a fence. */
bool
isMemory(const uint32_t *insn, unsigned chipset)
{
   static const Pattern gm107[] = {
      {{1, 0x80000000, 0xe0000000}}, // LD
      {{1, 0xa0000000, 0xe0000000}}, // ST
      {{1, 0xed000000, 0xff000000}}, // ATOM
      {{1, 0xee000000, 0xff000000}}, // ATOM.CAS, ATOMS.CAS, LDG, STG
      {{1, 0xec000000, 0xff000000}}, // ATOMS
      {{1, 0xebf80000, 0xfff80000}}, // RED
      {{1, 0xef480000, 0xfff80000}}, // LDS
      {{1, 0xef580000, 0xfff80000}}, // STS
      {{1, 0xef600000, 0xffe00000}}, // CCTL
      {{1, 0xef980000, 0xfff80000}}, // MEMBAR
   };
   static const uint32_t gv100[] = {
      0x980, 0x381, // LD, LDG
      0x385, 0x386, // ST, STG
      0x38a, 0x38b, // ATOM
      0x3a8, 0x3a9, // ATOMG
      0x38c, 0x38d, // ATOMS
      0x984, 0x388, // LDS, STS
      0x98e, 0x98f, // RED, CCTL
      0x992,        // MEMBAR
   };

   if (chipset >= NVISA_GV100_CHIPSET) {
      for (uint32_t op : gv100)
         if ((insn[0] & 0xfff) == op)
            return true;
      return false;
   }
   for (const Pattern &pattern : gm107)
      if (matches(insn, pattern))
         return true;
   return false;
}

std::vector<const uint32_t *>
memoryInsns(const std::vector<uint32_t> &code, unsigned chipset)
{
   const unsigned words = insnWords(chipset);
   std::vector<const uint32_t *> insns;

   for (unsigned i = 0; i + words <= code.size(); i += words) {
      /* The first of four is scheduling information. */
      if (chipset < NVISA_GV100_CHIPSET && i % (4 * words) == 0)
         continue;
      if (isMemory(&code[i], chipset))
         insns.push_back(&code[i]);
   }
   return insns;
}

std::string
hex(const std::vector<const uint32_t *> &insns, unsigned chipset)
{
   std::string text;
   char word[16];

   for (const uint32_t *insn : insns) {
      for (unsigned i = 0; i < insnWords(chipset); i++) {
         snprintf(word, sizeof(word), " %08x", insn[i]);
         text += word;
      }
      text += "\n";
   }
   return text;
}

class Atomics : public ::testing::TestWithParam<Line> {
protected:
   Atomics();
   ~Atomics();

   void build(const std::vector<std::string> &words);
   std::vector<uint32_t> compile();

   nir_def *input(unsigned index, unsigned bits);
   nir_def *load(nir_def *address, unsigned bits, gl_access_qualifier access);
   void use(nir_def *result);

   const Line &line;
   nir_builder b;
   /* That many instructions at the end are not the operation. */
   unsigned uses = 0;
};

Atomics::Atomics() : line(GetParam())
{
   glsl_type_singleton_init_or_ref();
   b = nir_builder_init_simple_shader(
      MESA_SHADER_COMPUTE,
      nv50_ir_nir_shader_compiler_options(line.chipset, PIPE_SHADER_COMPUTE), "atomics");
   b.shader->info.workgroup_size[0] = 32;
   b.shader->info.workgroup_size[1] = 1;
   b.shader->info.workgroup_size[2] = 1;
   b.shader->info.shared_size = 64;
}

Atomics::~Atomics()
{
   ralloc_free(b.shader);
   glsl_type_singleton_decref();
}

nir_def *
Atomics::input(unsigned index, unsigned bits)
{
   return nir_load_kernel_input(&b, 1, bits, nir_imm_int(&b, index * 8), .base = 0,
                                .range = 32, .align_mul = 8);
}

nir_def *
Atomics::load(nir_def *address, unsigned bits, gl_access_qualifier access)
{
   return nir_build_load_global(&b, 1, bits, address, .access = access,
                                .align_mul = bits / 8);
}

void
Atomics::use(nir_def *result)
{
   nir_store_global(&b, input(3, 64), 8, result, 0x1);
   uses++;
}

unsigned
accessOf(const std::string &scope)
{
   if (scope == "cta")
      return ACCESS_SCOPE_WORKGROUP;
   return scope == "sys" ? ACCESS_SCOPE_SYSTEM : 0;
}

mesa_scope
scopeOf(const std::string &scope)
{
   if (scope == "cta")
      return SCOPE_WORKGROUP;
   return scope == "sys" ? SCOPE_SYSTEM : SCOPE_DEVICE;
}

nir_atomic_op
atomicOp(const std::string &op, char type)
{
   if (op == "add")
      return type == 'f' ? nir_atomic_op_fadd : nir_atomic_op_iadd;
   if (op == "min")
      return type == 's' ? nir_atomic_op_imin : nir_atomic_op_umin;
   if (op == "max")
      return type == 's' ? nir_atomic_op_imax : nir_atomic_op_umax;
   if (op == "and")
      return nir_atomic_op_iand;
   if (op == "or")
      return nir_atomic_op_ior;
   if (op == "xor")
      return nir_atomic_op_ixor;
   return op == "cas" ? nir_atomic_op_cmpxchg : nir_atomic_op_xchg;
}

void
Atomics::build(const std::vector<std::string> &words)
{
   const std::string &op = words[0];

   if (op == "fence") {
      const std::string &order = words[1];
      const unsigned semantics =
         (order.find("acq") != std::string::npos ? NIR_MEMORY_ACQUIRE : 0) |
         (order.find("rel") != std::string::npos ? NIR_MEMORY_RELEASE : 0);

      nir_barrier(&b, SCOPE_NONE, scopeOf(words[2]), (nir_memory_semantics)semantics,
                  nir_var_mem_global);
      return;
   }

   const bool local = op == "local";
   const std::string &what = words[local ? 1 : 0];
   const std::string &type = words[local ? 2 : 1];
   const unsigned bits = atoi(&type[1]);

   if (local) {
      nir_def *address = nir_u2u32(&b, input(0, 64));

      use(what == "cas" ? nir_shared_atomic_swap(&b, bits, address, input(1, bits),
                                                 input(2, bits),
                                                 .atomic_op = nir_atomic_op_cmpxchg)
                        : nir_shared_atomic(&b, bits, address, input(1, bits),
                                            .atomic_op = atomicOp(what, type[0])));
      return;
   }

   if (op == "buffer") {
      const std::string &type = words[2];
      const unsigned bits = atoi(&type[1]);

      use(nir_ssbo_atomic(&b, bits, nir_imm_int(&b, 0), nir_u2u32(&b, input(0, 64)),
                          input(1, bits), .atomic_op = atomicOp(words[1], type[0])));
      return;
   }

   const std::string &scope = words[2];
   const unsigned atomic = scope == "weak" ? 0 : ACCESS_ATOMIC;
   const gl_access_qualifier access = (gl_access_qualifier)(accessOf(scope) | atomic);
   const gl_access_qualifier rmw_access = (gl_access_qualifier)accessOf(scope);
   nir_def *address = input(0, 64);
   nir_def *result = NULL;

   if (what == "load")
      result = load(address, bits, access);
   else if (what == "store")
      nir_build_store_global(&b, input(1, bits), address, .write_mask = 0x1,
                             .access = access, .align_mul = bits / 8);
   else if (what == "cas")
      result = nir_global_atomic_swap(&b, bits, address, input(1, bits), input(2, bits),
                                      .atomic_op = nir_atomic_op_cmpxchg,
                                      .access = rmw_access);
   else
      result = nir_global_atomic(&b, bits, address, input(1, bits),
                                 .atomic_op = atomicOp(what, type[0]),
                                 .access = rmw_access);

   if (result && words.back() != "unused")
      use(result);
}

int
assignNoSlots(struct nv50_ir_prog_info_out *)
{
   return 0;
}

std::vector<uint32_t>
Atomics::compile()
{
   struct nv50_ir_prog_info info = {};
   struct nv50_ir_prog_info_out out = {};

   nir_validate_shader(b.shader, "as built");

   info.type = PIPE_SHADER_COMPUTE;
   info.target = line.chipset;
   info.optLevel = 4;
   info.bin.nir = nir_shader_clone(NULL, b.shader);
   info.io.auxCBSlot = 7;
   info.io.msInfoCBSlot = 7;
   info.assignSlots = assignNoSlots;

   EXPECT_EQ(nv50_ir_generate_code(&info, &out), 0);
   ralloc_free(info.bin.nir);

   std::vector<uint32_t> code(out.bin.code, out.bin.code + out.bin.codeSize / 4);
   FREE(out.bin.code);
   FREE(out.bin.relocData);
   FREE(out.bin.fixupData);
   return code;
}

std::string
nameOf(const Line &line)
{
   char chipset[8];
   std::string name = line.operation;

   snprintf(chipset, sizeof(chipset), "nv%x_", line.chipset);
   for (char &c : name)
      if (c == ' ')
         c = '_';
   return chipset + name;
}

void
dump(const std::vector<uint32_t> &code, const Line &line)
{
   const char *dir = getenv("NV50_IR_ATOMICS_DUMP");

   if (!dir)
      return;
   std::ofstream file(std::string(dir) + "/" + nameOf(line) + ".bin", std::ios::binary);
   file.write((const char *)code.data(), code.size() * 4);
}

TEST_P(Atomics, code)
{
   build(split(line.operation, ' '));

   const std::vector<uint32_t> code = compile();
   std::vector<const uint32_t *> insns = memoryInsns(code, line.chipset);

   dump(code, line);

   SCOPED_TRACE(line.text);
   ASSERT_EQ(insns.size(), line.patterns.size() + uses) << hex(insns, line.chipset);
   for (unsigned i = 0; i < line.patterns.size(); i++)
      EXPECT_TRUE(matches(insns[i], line.patterns[i])) << hex(insns, line.chipset);
}

/* Whether there is a branch back, as a loop has. */
bool
hasLoop(const std::vector<uint32_t> &code, unsigned chipset)
{
   for (unsigned i = 0; i < code.size(); i += insnWords(chipset)) {
      const uint32_t *insn = &code[i];

      if (chipset >= NVISA_GV100_CHIPSET) {
         if ((insn[0] & 0xfff) == 0x947 && insn[2] & 1 << 17)
            return true;
      } else {
         if (i % 8 && (insn[1] & 0xfff00000) == 0xe2400000 && insn[1] & 1 << 11)
            return true;
      }
   }
   return false;
}

class Loops : public Atomics {
};

/* v = load; while (!v) v = load; */
TEST_P(Loops, spin)
{
   nir_def *address = input(0, 64);
   const gl_access_qualifier access =
      (gl_access_qualifier)(ACCESS_ATOMIC | ACCESS_SCOPE_SYSTEM);

   nir_loop *loop = nir_push_loop(&b);
   nir_def *value = load(address, 32, access);
   nir_break_if(&b, nir_ine_imm(&b, value, 0));
   nir_pop_loop(&b, loop);

   const std::vector<uint32_t> code = compile();
   const std::vector<const uint32_t *> insns = memoryInsns(code, line.chipset);

   ASSERT_EQ(insns.size(), line.patterns.size()) << hex(insns, line.chipset);
   EXPECT_TRUE(matches(insns[0], line.patterns[0])) << hex(insns, line.chipset);
   EXPECT_TRUE(hasLoop(code, line.chipset));
}

/* Two in a row are two. */
TEST_P(Loops, twice)
{
   nir_def *address = input(0, 64);
   const gl_access_qualifier access =
      (gl_access_qualifier)(ACCESS_ATOMIC | ACCESS_SCOPE_SYSTEM);

   nir_def *first = load(address, 32, access);
   nir_def *second = load(address, 32, access);
   use(nir_isub(&b, second, first));

   const std::vector<uint32_t> code = compile();
   const std::vector<const uint32_t *> insns = memoryInsns(code, line.chipset);

   ASSERT_EQ(insns.size(), 3u) << hex(insns, line.chipset);
   EXPECT_TRUE(matches(insns[0], line.patterns[0])) << hex(insns, line.chipset);
   EXPECT_TRUE(matches(insns[1], line.patterns[0])) << hex(insns, line.chipset);
}

std::vector<Line>
loads(std::vector<Line> lines)
{
   std::vector<Line> found;

   for (const Line &line : lines)
      if (line.operation == "load u32 sys")
         found.push_back(line);
   return found;
}

INSTANTIATE_TEST_SUITE_P(
   Table, Loops, ::testing::ValuesIn(loads(readTable(NV50_IR_ATOMICS_TABLE))),
   [](const ::testing::TestParamInfo<Line> &info) { return nameOf(info.param); });

INSTANTIATE_TEST_SUITE_P(
   Table, Atomics, ::testing::ValuesIn(readTable(NV50_IR_ATOMICS_TABLE)),
   [](const ::testing::TestParamInfo<Line> &info) { return nameOf(info.param); });

} // unnamed namespace
