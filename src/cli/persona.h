/* What the personalities share: names as their models resolve them, sockets, and one run of machines. Their
 * exit statuses and messages are those of their models, so nothing here prints. */
#ifndef RETOUR_CLI_PERSONA_H
#define RETOUR_CLI_PERSONA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "net/channel.h"
#include "net/driver.h"
#include "path/model.h"

#define PERSONA_NAME_SIZE 256

/* 0, or what gai_strerror explains. With `family` 0 the first address of `preferred` (0 = none) is taken
 * before others. */
int persona_resolve(const char *name, uint8_t family, uint8_t preferred, struct addr *address);
/* The name of an address as the C library's resolver finds it, "" = none. */
const char *persona_name(struct addr address, char name[static PERSONA_NAME_SIZE]);
/* The AS that announces it, by local data; 0 = unknown. */
uint32_t persona_origin(struct addr address);

struct persona_request {
	enum probe_protocol protocol;
	struct addr destination;
	struct addr source;    /* wanted, or none */
	uint16_t source_port;  /* 0 = any */
	const char *interface; /* NULL = by the routing table */
	uint32_t mark;	       /* firewall mark, 0 = none */
	uint16_t icmp_id;
	bool dont_fragment;
	bool bypass_routing;
	bool debug; /* SO_DEBUG of socket(7) */
};

struct persona_session {
	struct addr source;
	uint16_t source_port; /* reserved; 0 for protocols without */
	uint16_t link_mtu;    /* of the device that packets leave by, 0 = not known */
	int port_fd;
	bool raw;
	struct channel channel;
	int signal; /* that ended the last run, 0 = none */
};

enum persona_step { PERSONA_ROUTE, PERSONA_INTERFACE, PERSONA_SOCKET, PERSONA_READY };

/* Opens everything and gives privilege up. PERSONA_READY, or what failed; `error` has the code. */
enum persona_step persona_open(
	struct persona_session *session, const struct persona_request *request, struct error *error) MUST_USE;
int persona_run(struct persona_session *session, struct machine machine, struct error *error) MUST_USE;
void persona_close(struct persona_session *session);

#endif
