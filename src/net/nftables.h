/* libnftables, loaded by those runs that read or write rules: with what it brings along it is a third of the
 * time that a start of the program takes. */
#ifndef RETOUR_NET_NFTABLES_H
#define RETOUR_NET_NFTABLES_H

#include <nftables/libnftables.h>

#include "base/compiler.h"
#include "base/error.h"

/* Its functions under their own names, without the prefix. */
struct nftables {
	struct nft_ctx *context; /* NULL = not open */
	struct nft_ctx *(*ctx_new)(uint32_t flags);
	void (*ctx_free)(struct nft_ctx *nft);
	int (*ctx_buffer_output)(struct nft_ctx *nft);
	int (*ctx_buffer_error)(struct nft_ctx *nft);
	const char *(*ctx_get_output_buffer)(struct nft_ctx *nft);
	const char *(*ctx_get_error_buffer)(struct nft_ctx *nft);
	void (*ctx_output_set_flags)(struct nft_ctx *nft, unsigned flags);
	int (*run_cmd_from_buffer)(struct nft_ctx *nft, const char *commands);
};

/* Load the library and open a context that keeps what it has to say in its buffers. Whether this process may
 * change rules is to be asked before: without the right the library prints a complaint of its own. */
int nftables_open(struct nftables *nftables, struct error *error) MUST_USE;
void nftables_close(struct nftables *nftables);

/* A command in nft's own language: 0, or `failure` with what nftables says against it. */
int nftables_run(
	const struct nftables *nftables, const char *command, int failure, struct error *error) MUST_USE;

#endif
