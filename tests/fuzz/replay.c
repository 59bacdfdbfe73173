/* Stands in for libFuzzer: feeds the target every file of a directory and every beginning of each, from
 * copies of exact size. Usage: fuzz_<name> DIRECTORY */
#include <dirent.h>
#include <limits.h>
#include <string.h>

#include "fuzz.h"

#define INPUT_SIZE_MAX 4096

static void feed(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size);
	if (size > 0)
		memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static int replay(const char *path)
{
	static uint8_t data[INPUT_SIZE_MAX];
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		return -1;
	}
	size_t size = fread(data, 1, sizeof(data), file);
	fclose(file);
	for (size_t length = 0; length <= size; length++)
		feed(data, length);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
		return 2;
	}
	DIR *directory = opendir(argv[1]);
	if (!directory) {
		perror(argv[1]);
		return 1;
	}
	int count = 0;
	for (struct dirent *entry; (entry = readdir(directory));) {
		char path[PATH_MAX];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		if (replay(path) != 0)
			return 1;
		count++;
	}
	closedir(directory);
	printf("%d inputs and all their beginnings\n", count);
	return count > 0 ? 0 : 1;
}
