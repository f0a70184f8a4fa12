/* SPDX-License-Identifier: MIT */
/*
 * Layout and initial values of contended words; verify.c checks them.
 */
#include "field.h"

#include "stats.h"
#include "steps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STREAM_MIN	 (1u << 12)
#define STREAM_MAX	 (1u << 20)
#define ZIPF_EXPONENT	 0.99  /* YCSB's default (Cooper et al., SoCC 2010) */
#define FLOAT_WORKER_MAX 16384 /* steps.h: DELTA_PERIOD_SHIFT */

static void lay_out(struct field *field, const struct point *point, uint32_t line_bytes)
{
	const uint32_t size = (uint32_t)type_size(field->type);

	switch (point->layout) {
	case LAYOUT_WORD:
		field->stride = 0;
		field->modulo = 1;
		break;
	case LAYOUT_LINE:
		field->stride = 1;
		field->modulo = line_bytes / size;
		break;
	case LAYOUT_LINE_PER_WORKER:
		field->stride = line_bytes / size;
		field->modulo = field->workers;
		break;
	case LAYOUT_PAGE_PER_WORKER:
		field->stride = (uint32_t)sysconf(_SC_PAGESIZE) / size;
		field->modulo = field->workers;
		break;
	case LAYOUT_RANDOM:
	case LAYOUT_COUNT:
		field->stride = 0;
		field->modulo = 1;
		break;
	}
}

static uint32_t power_of_two_at_least(uint64_t value)
{
	uint32_t power = STREAM_MIN;

	while (power < value && power < STREAM_MAX)
		power <<= 1;
	return power;
}

/*
 * Zipf-distributed ranks by Gray et al., "Quickly Generating Billion-Record
 * Synthetic Databases", SIGMOD 1994.
 */
struct zipf {
	uint64_t ranks;
	double zeta;
	double alpha;
	double eta;
};

static struct zipf zipf_init(uint64_t ranks)
{
	struct zipf zipf = { .ranks = ranks, .alpha = 1.0 / (1.0 - ZIPF_EXPONENT) };
	const double zeta2 = 1.0 + pow(0.5, ZIPF_EXPONENT);

	for (uint64_t i = 1; i <= ranks; i++)
		zipf.zeta += pow(1.0 / (double)i, ZIPF_EXPONENT);
	zipf.eta =
		(1.0 - pow(2.0 / (double)ranks, 1.0 - ZIPF_EXPONENT)) / (1.0 - zeta2 / zipf.zeta);
	return zipf;
}

static uint64_t zipf_rank(const struct zipf *zipf, uint64_t *random)
{
	const double u = (double)(stats_random(random) >> 11) * 0x1p-53;
	const double uz = u * zipf->zeta;
	uint64_t rank;

	if (uz < 1.0)
		return 0;
	if (uz < 1.0 + pow(0.5, ZIPF_EXPONENT))
		return 1;
	rank = (uint64_t)((double)zipf->ranks * pow(zipf->eta * u - zipf->eta + 1.0, zipf->alpha));
	return rank < zipf->ranks ? rank : zipf->ranks - 1;
}

static void fill_stream(struct field *field, enum distribution distribution, uint64_t seed)
{
	const uint32_t length = field->stream_mask + 1;
	const uint64_t ranks = field->words < length ? field->words : length;
	uint32_t *stream = field->stream.host;
	struct zipf zipf = { 0 };

	if (distribution == DISTRIBUTION_ZIPF)
		zipf = zipf_init(ranks);
	for (uint32_t i = 0; i < length; i++) {
		if (distribution == DISTRIBUTION_UNIFORM)
			stream[i] = (uint32_t)(stats_random(&seed) % field->words);
		else
			/* Hot words are scattered: a large prime spreads neighbouring ranks. */
			stream[i] =
				(uint32_t)(zipf_rank(&zipf, &seed) * 2654435761u % field->words);
	}
}

static bool count_words(struct field *field, const struct point *point, struct error *err)
{
	uint64_t words = (uint64_t)(field->modulo - 1) * field->stride + 1;

	if (field->random)
		words = point->working_set / type_size(field->type);
	if (words > UINT32_MAX)
		return fail(err, EXIT_NO_MEMORY,
			    "this layout needs %llu MiB, more than 32-bit indices reach; use a "
			    "smaller working_set or fewer work_items",
			    (unsigned long long)(words * type_size(field->type) >> 20));
	field->words = (uint32_t)words;
	return true;
}

bool field_create(struct field *field, struct device *dev, enum memory_kind kind,
		  const struct point *point, uint32_t workers, uint32_t line_bytes, uint64_t seed,
		  struct error *err)
{
	*field = (struct field){ .op = point->op,
				 .type = point->type,
				 .random = point->layout == LAYOUT_RANDOM,
				 .workers = workers };
	if (type_is_float(field->type) && workers > FLOAT_WORKER_MAX)
		return fail(err, EXIT_UNAVAILABLE,
			    "sums of %s stay exact for up to %d workers; use fewer work_items",
			    type_names[field->type], FLOAT_WORKER_MAX);
	lay_out(field, point, line_bytes);
	if (!count_words(field, point, err))
		return false;
	field->stream_mask = field->random ? power_of_two_at_least(field->words) - 1 : 0;
	if (!device_alloc(dev, kind, field->words * type_size(field->type), &field->memory, err) ||
	    !device_alloc(dev, kind,
			  field->op == OP_FLAG ? field->words * sizeof(uint32_t) : sizeof(uint32_t),
			  &field->guards, err) ||
	    !device_alloc(dev, kind, ((size_t)field->stream_mask + 1) * sizeof(uint32_t),
			  &field->stream, err)) {
		field_destroy(field, dev);
		return false;
	}
	fill_stream(field, point->distribution, seed);
	return true;
}

void field_destroy(struct field *field, struct device *dev)
{
	device_release(dev, &field->stream);
	device_release(dev, &field->guards);
	device_release(dev, &field->memory);
}

uint64_t field_step_limit(const struct field *field)
{
	if (field->op == OP_FETCH_MIN || field->op == OP_FETCH_MAX)
		return (UINT64_C(1) << 31) - (1 << 16);
	return UINT64_C(1) << 62;
}

/* --- initial values ----------------------------------------------------- */

static void set_word(struct field *field, uint32_t index, uint64_t value)
{
	switch (field->type) {
	case TYPE_INT:
	case TYPE_UINT:
		((uint32_t *)field->memory.host)[index] = (uint32_t)value;
		break;
	case TYPE_LONG:
	case TYPE_ULONG:
		((uint64_t *)field->memory.host)[index] = value;
		break;
	case TYPE_FLOAT:
		((float *)field->memory.host)[index] = (float)value;
		break;
	case TYPE_DOUBLE:
		((double *)field->memory.host)[index] = (double)value;
		break;
	case TYPE_COUNT:
		break;
	}
}

static uint64_t type_max(enum type type)
{
	switch (type) {
	case TYPE_INT:
		return INT32_MAX;
	case TYPE_UINT:
		return UINT32_MAX;
	case TYPE_LONG:
		return INT64_MAX;
	default:
		return UINT64_MAX;
	}
}

static uint64_t initial_value(const struct field *field, uint32_t number)
{
	switch (field->op) {
	case OP_EXCHANGE:
		/* Tokens 1 to workers are the workers' own. */
		return (uint64_t)field->workers + 1 + number;
	case OP_FETCH_MIN:
		return type_max(field->type);
	case OP_FETCH_AND:
		return UINT64_MAX;
	case OP_LOAD:
		return LOAD_PATTERN;
	default:
		return 0;
	}
}

void field_reset(struct field *field)
{
	const uint32_t used = field->random ? field->words : field->modulo;
	const uint32_t step = field->random ? 1 : field->stride;

	for (uint32_t i = 0; i < used; i++)
		set_word(field, i * step, initial_value(field, i));
	memset(field->guards.host, 0, field->guards.size);
}
