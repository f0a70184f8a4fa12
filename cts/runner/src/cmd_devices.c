/* SPDX-License-Identifier: MIT */
/*
 * svmatomic-cts devices: what there is to test. Only this command loads drivers.
 */
#include "cts_commands.h"

#include "cl.h"
#include "transcript.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: svmatomic-cts devices [--platform TEXT] [--device TEXT] [--json]\n"
	"\n"
	"Lists OpenCL devices with what expectations can ask of them. With --platform or\n"
	"--device (a part of the name, or an index) the one that they choose.\n";

/* The index that Khronos' harness counts by: all platforms, and their devices of any type. */
static cl_uint platform_index(cl_platform_id platform)
{
	cl_platform_id all[64];
	cl_uint count = 0;

	clGetPlatformIDs(64, all, &count);
	for (cl_uint i = 0; i < count && i < 64; i++)
		if (all[i] == platform)
			return i;
	return 0;
}

static size_t device_index(const struct cts_devices *list, const struct cts_device *dev)
{
	size_t index = 0;

	for (const struct cts_device *other = list->at; other->id != dev->id; other++)
		index += other->platform == dev->platform;
	return index;
}

/* "coarse fine atomics", in this order; "none". */
static void describe_svm(cl_device_svm_capabilities svm, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s%s%s", svm & CL_DEVICE_SVM_COARSE_GRAIN_BUFFER ? " coarse" : "",
		 svm & CL_DEVICE_SVM_FINE_GRAIN_BUFFER ? " fine" : "",
		 svm & CL_DEVICE_SVM_FINE_GRAIN_SYSTEM ? " system" : "",
		 svm & CL_DEVICE_SVM_ATOMICS ? " atomics" : "", svm ? "" : " none");
	memmove(text, text + 1, strlen(text));
}

/* Names come from drivers. */
static json_t *clean_string(const char *text)
{
	char clean[256];

	snprintf(clean, sizeof(clean), "%s", text);
	clean_text(clean);
	return json_string(clean);
}

static json_t *device_json(const struct cts_devices *list, const struct cts_device *dev)
{
	char svm[64];

	describe_svm(dev->svm, svm, sizeof(svm));
	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:I, s:I}", "platform",
			 clean_string(dev->platform_name), "version",
			 clean_string(dev->platform_version), "device", clean_string(dev->name),
			 "driver", clean_string(dev->driver), "svm", svm, "platform_index",
			 (json_int_t)platform_index(dev->platform), "device_index",
			 (json_int_t)device_index(list, dev));
}

static void print_devices(const json_t *devices)
{
	static const char *const members[] = { "platform", "version", "driver", "svm" };
	const json_t *device;
	size_t i;

	json_array_foreach (devices, i, device) {
		printf("device: %s\n", json_string_value(json_object_get(device, "device")));
		for (size_t j = 0; j < sizeof(members) / sizeof(*members); j++)
			printf("    %s: %s\n", members[j],
			       json_string_value(json_object_get(device, members[j])));
	}
}

static json_t *choose_devices(const char *platform, const char *device, struct error *err)
{
	json_t *devices = NULL;
	struct cts_devices list;
	const struct cts_device *chosen = NULL;

	if (!cts_list(&list, err))
		return NULL;
	if (platform || device)
		chosen = cts_choose(&list, platform, device, err);
	if (err->code == EXIT_OK)
		devices = json_array();
	for (size_t i = 0; devices && i < list.count; i++)
		if (!chosen || chosen == &list.at[i])
			json_array_append_new(devices, device_json(&list, &list.at[i]));
	cts_list_free(&list);
	return devices;
}

int command_devices(int argc, char **argv, struct error *err)
{
	static const struct option options[] = { { "platform", required_argument, NULL, 'p' },
						 { "device", required_argument, NULL, 'd' },
						 { "json", no_argument, NULL, 'j' },
						 { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	const char *platform = NULL;
	const char *device = NULL;
	bool json = false;
	json_t *devices;
	int code;

	optind = 0;
	opterr = 0;
	while ((code = getopt_long(argc, argv, "p:d:h", options, NULL)) != -1) {
		switch (code) {
		case 'p':
			platform = optarg;
			break;
		case 'd':
			device = optarg;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_OK;
		default:
			unknown_option(argv, err);
			return err->code;
		}
	}
	if (optind < argc)
		return command_fail(err, EXIT_USAGE_ERROR, "devices takes no '%s'", argv[optind]);
	devices = choose_devices(platform, device, err);
	if (!devices)
		return err->code;
	if (json) {
		json_dumpf(devices, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		print_devices(devices);
	}
	json_decref(devices);
	return EXIT_OK;
}
