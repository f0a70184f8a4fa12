/* SPDX-License-Identifier: MIT */
/*
 * Point objects: axes, notes, refusals, and what a device makes of the axes.
 */
#include "point.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static json_t *axis_value(const struct point *point, enum axis_id axis)
{
	switch (axis) {
	case AXIS_OP:
		return json_string(op_names[point->op]);
	case AXIS_TYPE:
		return json_string(type_names[point->type]);
	case AXIS_ORDER:
		return json_string(order_names[point->order]);
	case AXIS_SCOPE:
		return json_string(scope_names[point->scope]);
	case AXIS_LAYOUT:
		return json_string(layout_names[point->layout]);
	case AXIS_WORKING_SET:
		return json_integer((json_int_t)point->working_set);
	case AXIS_DISTRIBUTION:
		return json_string(distribution_names[point->distribution]);
	case AXIS_WORK_ITEMS:
		return json_integer(point->work_items);
	case AXIS_GROUP_SIZE:
		return json_integer(point->group_size);
	case AXIS_CPU_THREADS:
		return json_integer(point->cpu_threads);
	case AXIS_PLACEMENT:
		return json_string(point->placement);
	case AXIS_THINK:
		return json_integer((json_int_t)point->think_ns);
	case AXIS_HOLD:
		return json_integer((json_int_t)point->hold_ns);
	case AXIS_COUNT:
		break;
	}
	return NULL;
}

/*
 * Axes that say nothing at this point: how to be random when nothing is, how long to
 * keep what is not taken.
 */
static bool is_idle(const struct point *point, unsigned used, enum axis_id axis)
{
	if (axis == AXIS_HOLD)
		return point->hold_ns == DEVICE_HOLD_DEFAULT;
	return (used & AXIS_BIT(AXIS_LAYOUT)) && point->layout != LAYOUT_RANDOM &&
	       (axis == AXIS_WORKING_SET || axis == AXIS_DISTRIBUTION);
}

json_t *point_new(const struct session *session, const struct workload *workload,
		  const struct point *point, struct error *err)
{
	json_t *out = json_pack("{s:s, s:i, s:{}, s:s, s:[]}", "workload", workload->name, "device",
				(int)session->device_index, "axes", "status", "ok", "notes");
	json_t *values = json_object_get(out, "axes");

	if (!out) {
		fail(err, EXIT_NO_MEMORY, "out of memory");
		return NULL;
	}
	for (int axis = 0; axis < AXIS_COUNT; axis++)
		if ((workload->axes & AXIS_BIT(axis)) &&
		    !is_idle(point, workload->axes, (enum axis_id)axis))
			json_object_set_new(values, axes[axis].name,
					    axis_value(point, (enum axis_id)axis));
	return out;
}

void point_note(json_t *point, const char *format, ...)
{
	json_t *notes = json_object_get(point, "notes");
	char text[512];
	const json_t *note;
	size_t index;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_array_foreach (notes, index, note)
		if (!strcmp(json_string_value(note), text))
			return;
	json_array_append_new(notes, json_string(text));
}

void point_refuse(json_t *point, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_object_set_new(point, "status", json_string("refused"));
	json_object_set_new(point, "reason", json_string(text));
}

void point_describe(json_t *point, const struct session *session, const struct sampler *sampler)
{
	struct counters counters;

	json_object_set_new(point, "verified", json_true());
	json_object_set_new(point, "measures", json_array());
	json_object_set_new(point, "histograms", json_array());
	if (device_counters(session->device, &counters)) {
		counters = counters_between(&sampler->counters, &counters);
		json_object_set_new(point, "counters", counters_json(&counters));
	}
	sampler_describe(sampler, point);
	if (!strcmp(sampler->stopped_by, "interrupt"))
		json_object_set_new(point, "status", json_string("partial"));
}

void point_measure(json_t *point, const char *name, const char *unit, enum better better,
		   const struct samples *samples, uint64_t seed)
{
	json_t *measure = result_measure(name, unit, better, samples, seed);

	if (measure)
		json_array_append_new(json_object_get(point, "measures"), measure);
}

void point_histogram(json_t *point, const struct histogram *histogram, const char *name)
{
	json_t *json = histogram_json(histogram, name);

	if (json)
		json_array_append_new(json_object_get(point, "histograms"), json);
}

void point_lost_update(json_t *point, const char *reason)
{
	json_object_update_new(point, json_pack("{s:s, s:s, s:b, s:i, s:i, s:[], s:[]}", "status",
						"lost-update", "reason", reason, "verified", 0,
						"samples_taken", 0, "samples_rejected", 0,
						"measures", "histograms"));
}

void point_note_confined(const struct device *dev, json_t *point)
{
	if (dev->kind == DEVICE_CPU && dev->open_units < dev->units &&
	    !dev->caps[CAP_PARTITION].have)
		point_note(point,
			   "the device is bound to %u CPU%s but still reports %u compute "
			   "units: %s",
			   dev->open_units, dev->open_units == 1 ? "" : "s", dev->units,
			   dev->caps[CAP_PARTITION].note);
}

void point_resolve(const struct device *dev, struct point *point)
{
	const bool on_cpus = device_is_on_cpus(dev);

	if (point->hold_ns == DEVICE_HOLD_DEFAULT && dev->max_hold_ns)
		point->hold_ns = dev->default_hold_ns;
	if (!point->work_items)
		point->work_items = on_cpus ? dev->open_units : dev->units * 256;
	if (point->group_size)
		return;
	point->group_size = on_cpus ? 1 : 64;
	while (point->group_size > dev->max_group || point->work_items % point->group_size)
		point->group_size /= 2;
}

static const char *missing_type(const struct device *dev, const struct point *point)
{
	const bool adds = point->op == OP_FETCH_ADD || point->op == OP_FETCH_SUB;

	if (type_size(point->type) == 8 && !dev->caps[CAP_ATOMIC_INT64].have)
		return dev->caps[CAP_ATOMIC_INT64].note;
	if (point->type == TYPE_DOUBLE && !dev->caps[CAP_DOUBLE].have)
		return dev->caps[CAP_DOUBLE].note;
	if (point->type == TYPE_FLOAT && adds && !dev->caps[CAP_FLOAT_ADD].have)
		return dev->caps[CAP_FLOAT_ADD].note;
	if (point->type == TYPE_DOUBLE && adds && !dev->caps[CAP_DOUBLE_ADD].have)
		return dev->caps[CAP_DOUBLE_ADD].note;
	return NULL;
}

static const char *missing_hold(const struct device *dev, const struct point *point)
{
	if (point->hold_ns == DEVICE_HOLD_DEFAULT)
		return NULL;
	if (!dev->max_hold_ns)
		return "hold_ns: this device takes no pages from the CPU, so it cannot keep any";
	return point->hold_ns <= dev->max_hold_ns
		       ? NULL
		       : "hold_ns: this device keeps no page for that long";
}

/* Where work-items are threads, there are as many as there are. */
static const char *missing_items(const struct device *dev, const struct point *point)
{
	if (dev->max_items && point->work_items > dev->max_items)
		return "work_items: this device runs no more at once than there are CPUs";
	return point->group_size > dev->max_group
		       ? "group_size: this device has no work-groups as large as that"
		       : NULL;
}

static const char *missing_order(const struct device *dev, const struct point *point)
{
	if (point->order == ORDER_RELAXED)
		return NULL;
	if (point->order == ORDER_SEQ_CST)
		return dev->caps[CAP_ORDER_SEQ_CST].have ? NULL : dev->caps[CAP_ORDER_SEQ_CST].note;
	return dev->caps[CAP_ORDER_ACQ_REL].have ? NULL : dev->caps[CAP_ORDER_ACQ_REL].note;
}

const char *point_missing(const struct session *session, const struct workload *workload,
			  const struct point *point)
{
	const struct device *dev = session->device;
	const struct task task = { .workload = workload->name, .broken = session->broken };
	const char *reason = device_lacks(dev, &task);

	if (reason)
		return reason;
	if (!dev->caps[CAP_SVM_FINE_BUFFER].have)
		return dev->caps[CAP_SVM_FINE_BUFFER].note;
	reason = combination_refusal(point->op, point->type, point->order);
	if (!reason)
		reason = missing_hold(dev, point);
	if (!reason)
		reason = missing_items(dev, point);
	if (!reason)
		reason = missing_type(dev, point);
	return reason ? reason : missing_order(dev, point);
}

void point_note_fallbacks(const struct session *session, const struct point *point, json_t *json)
{
	const struct device *dev = session->device;

	if (point->scope > dev->widest_scope)
		point_note(json, "scope %s fell back to %s: %s", scope_names[point->scope],
			   scope_names[dev->widest_scope], dev->caps[CAP_SCOPE_ALL_DEVICES].note);
	if (!dev->caps[CAP_SVM_ATOMICS].have)
		point_note(json,
			   "the device does not promise SVM atomics (%s): measured because "
			   "--allow-unclaimed was given",
			   dev->caps[CAP_SVM_ATOMICS].note);
}
