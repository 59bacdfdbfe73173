/* The folder of local data, open for look-ups. What is missing or damaged there loses answers and nothing
 * else. */
#ifndef RETOUR_ANNOTATE_DATA_H
#define RETOUR_ANNOTATE_DATA_H

#include "annotate/glasses.h"
#include "annotate/mmdb.h"
#include "annotate/ranges.h"
#include "annotate/source.h"

#define DATA_FILES_MAX 32
#define DATA_NAME_SIZE 80

/* One file that is in use. */
struct data_file {
	char name[DATA_NAME_SIZE];
	enum source_kind kind;
	bool raw; /* as its publisher wrote it, not as `retour data import` installs it */
	int64_t changed_s;
	struct file_bytes bytes;
	struct tables tables; /* of a raw file, read at once */
	struct text text[TABLE_COUNT];
	struct mmdb *mmdb;
};

struct data {
	struct data_file files[DATA_FILES_MAX];
	unsigned count;
	/* Why a file that is there is not used; the last one. */
	struct error error;
};

/* The folder of local data: $RETOUR_DATA, else $XDG_DATA_HOME/retour, else ~/.local/share/retour. Writes into
 * and returns `path`. */
const char *data_dir(char *path, size_t size);
/* NULL = data_dir(). Never fails: an empty folder knows nothing. */
void data_open(struct data *data, const char *dir);
void data_close(struct data *data);
/* The same on the heap; NULL: out of memory. */
struct data *data_new(const char *dir);
void data_free(struct data *data);

/* The most specific answer of all files; several origins when files that are equally specific differ. */
bool data_origin(const struct data *data, struct addr addr, struct origin *origin);
/* The exchange whose LAN the address is in: name, country. */
bool data_exchange(const struct data *data, struct addr addr, struct origin *exchange);
/* Whose router has the address on an exchange's LAN. */
bool data_member(const struct data *data, struct addr addr, struct origin *member);
bool data_provides(const struct data *data, uint32_t provider, uint32_t customer);
/* Where that network lets others look from, by its own word. */
bool data_glass(const struct data *data, uint32_t asn, struct glass *glass);
/* Entries of a file; reads through it. */
size_t data_entries(const struct data_file *file);

/* The name of an installed table; the buffer has DATA_NAME_SIZE bytes. */
const char *data_table_name(enum source_kind kind, enum table table, char *name);

#endif
