/* libmicrohttpd's functions, loaded by a daemon that serves HTTP and by no other. */
#ifndef RETOUR_SERVE_MHD_H
#define RETOUR_SERVE_MHD_H

#include <microhttpd.h>

#include "base/compiler.h"
#include "base/error.h"

struct mhd {
	struct MHD_Daemon *(*start)(unsigned flags, uint16_t port, MHD_AcceptPolicyCallback accept,
		void *accept_context, MHD_AccessHandlerCallback handler, void *handler_context, ...);
	void (*stop)(struct MHD_Daemon *daemon);
	MHD_socket (*quiesce)(struct MHD_Daemon *daemon);
	enum MHD_Result (*run)(struct MHD_Daemon *daemon);
	enum MHD_Result (*timeout)(struct MHD_Daemon *daemon, MHD_UNSIGNED_LONG_LONG *ms);
	const union MHD_DaemonInfo *(*daemon_info)(
		struct MHD_Daemon *daemon, enum MHD_DaemonInfoType type, ...);
	const union MHD_ConnectionInfo *(*connection_info)(
		struct MHD_Connection *connection, enum MHD_ConnectionInfoType type, ...);
	int (*values)(struct MHD_Connection *connection, enum MHD_ValueKind kind,
		MHD_KeyValueIterator iterator, void *context);
	enum MHD_Result (*value_n)(struct MHD_Connection *connection, enum MHD_ValueKind kind,
		const char *key, size_t key_size, const char **value, size_t *value_size);
	void (*suspend)(struct MHD_Connection *connection);
	void (*resume)(struct MHD_Connection *connection);
	enum MHD_Result (*queue)(
		struct MHD_Connection *connection, unsigned status, struct MHD_Response *response);
	struct MHD_Response *(*from_buffer)(size_t size, void *buffer, enum MHD_ResponseMemoryMode mode);
	struct MHD_Response *(*from_callback)(uint64_t size, size_t block_size,
		MHD_ContentReaderCallback reader, void *context, MHD_ContentReaderFreeCallback free_context);
	enum MHD_Result (*add_header)(struct MHD_Response *response, const char *name, const char *value);
	void (*destroy)(struct MHD_Response *response);
};

int mhd_load(struct mhd *mhd, struct error *error) MUST_USE;

#endif
