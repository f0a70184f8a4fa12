/* SPDX-License-Identifier: MIT */
/*
 * Reads what a debug build of Mesa prints while svm_host launches kernels on nouveau, and
 * prints for each kernel which of its instructions access memory or order such accesses:
 * NAME: INSTRUCTION; INSTRUCTION; ... Where bits are is as in Mesa's nv50_ir_atomics.txt.
 *
 * nouveau_words CHIPSET, from standard input to standard output.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 4096 };

static const char *const ops[16] = {
	"add", "min", "max", "inc", "dec", "and", "or", "xor", "exch"
};
static const char *const types[8] = { "u32", "s32", "u64", "f32", "f16x2", "s64", "f64" };
static const char *const sizes[8] = { "u8", "s8", "u16", "s16", "32", "64", "128" };

static unsigned int bits(const uint32_t *words, int first, int count)
{
	return words[first / 32] >> (first % 32) & ((1u << count) - 1);
}

static const char *text(const char *const *table, unsigned int value)
{
	return table[value] ? table[value] : "?";
}

/* Maxwell and Pascal. */
static void pascal(const uint32_t *w)
{
	static const char *const load[4] = { "", ".cg", ".ci", ".cv" };
	static const char *const store[4] = { "", ".cg", ".ct", ".wt" };
	static const char *const scope[4] = { "cta", "gl", "sys", "vc" };
	static const char *const all[4] = { "", ".ivalld", ".ivallt", ".ivalltd" };

	if (bits(w, 61, 3) == 4)
		printf(" ld%s.%s;", load[bits(w, 56, 2)], text(sizes, bits(w, 53, 3)));
	else if (bits(w, 61, 3) == 5)
		printf(" st%s.%s;", store[bits(w, 56, 2)], text(sizes, bits(w, 53, 3)));
	else if (bits(w, 52, 12) == 0xeef)
		printf(" atom.cas.%s;", bits(w, 49, 1) ? "u64" : "u32");
	else if (bits(w, 56, 8) == 0xed)
		printf(" atom.%s.%s;", text(ops, bits(w, 52, 4)), text(types, bits(w, 49, 3)));
	else if (bits(w, 51, 13) == 0xebf8 >> 3)
		printf(" red.%s.%s;", text(ops, bits(w, 23, 3)), text(types, bits(w, 20, 3)));
	else if (bits(w, 51, 13) == 0xef98 >> 3)
		printf(" membar.%s%s;", scope[bits(w, 8, 2)], all[bits(w, 0, 2)]);
	else if (bits(w, 53, 11) == 0xef60 >> 5)
		printf(" cctl.%u;", bits(w, 0, 4));
}

/* A strong access' scope, on Volta and Turing. */
static const char *strong(const uint32_t *w)
{
	static const char *const scope[4] = { "cta", "sm", "gpu", "sys" };

	return bits(w, 79, 2) == 2 ? scope[bits(w, 77, 2)] : "weak";
}

static void volta(const uint32_t *w)
{
	static const char *const scope[8] = { "cta", "sm", "gpu", "sys" };
	const unsigned int size = bits(w, 73, 3);

	switch (bits(w, 0, 12)) {
	case 0x980:
		printf(" ld.%s.%s;", strong(w), text(sizes, size));
		break;
	case 0x385:
		printf(" st.%s.%s;", strong(w), text(sizes, size));
		break;
	case 0x38a:
		printf(" atom.%s.%s.%s;", text(ops, bits(w, 87, 4)), text(types, size), strong(w));
		break;
	case 0x38b:
		printf(" atom.cas.%s.%s;", text(types, size), strong(w));
		break;
	case 0x98e:
		printf(" red.%s.%s.%s;", text(ops, bits(w, 87, 3)), text(types, size), strong(w));
		break;
	case 0x992:
		printf(" membar.%s;", text(scope, bits(w, 76, 3)));
		break;
	case 0x98f:
		printf(" cctl.%s;", bits(w, 87, 4) == 4 ? "ivall" : "?");
		break;
	}
}

static bool loops(const uint32_t *w, bool is_volta)
{
	if (is_volta)
		return bits(w, 0, 12) == 0x947 && bits(w, 81, 1);
	return bits(w, 52, 12) == 0xe24 && bits(w, 43, 1);
}

static void kernel(const char *name, const uint32_t *words, size_t count, bool is_volta)
{
	const size_t step = is_volta ? 4 : 2;

	printf("%s:", name);
	for (size_t i = 0; i + step <= count; i += step) {
		/* Of four words on Pascal the first is for scheduling. */
		if (!is_volta && i % 8 == 0)
			continue;
		if (is_volta)
			volta(words + i);
		else
			pascal(words + i);
		if (loops(words + i, is_volta))
			printf(" loop;");
	}
	printf("\n");
}

int main(int argc, char **argv)
{
	static uint32_t words[WORDS];
	char line[512], name[128] = "";
	size_t count = 0;
	bool code = false;

	if (argc != 2) {
		fprintf(stderr, "usage: nouveau_words CHIPSET\n");
		return 2;
	}
	const bool is_volta = strtoul(argv[1], NULL, 16) >= 0x140;

	while (fgets(line, sizeof(line), stdin)) {
		char *at = line;

		if (!strncmp(line, "KERNEL ", 7)) {
			if (*name && count)
				kernel(name, words, count, is_volta);
			sscanf(line + 7, "%127s", name);
			count = 0;
			code = false;
		} else if (!strncmp(line, "shader binary code", 18)) {
			code = true;
			count = 0;
		} else if (code) {
			unsigned int word;
			int used;

			while (count < WORDS && sscanf(at, " %8x%n", &word, &used) == 1) {
				words[count++] = word;
				at += used;
			}
			if (at == line)
				code = false;
		}
	}
	if (*name && count)
		kernel(name, words, count, is_volta);
	return 0;
}
