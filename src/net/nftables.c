#include "net/nftables.h"

#include <errno.h>
#include <string.h>

#include "base/library.h"

int nftables_open(struct nftables *nftables, struct error *error)
{
	const struct library_symbol symbols[] = {
		{"nft_ctx_new", &nftables->ctx_new},
		{"nft_ctx_free", &nftables->ctx_free},
		{"nft_ctx_buffer_output", &nftables->ctx_buffer_output},
		{"nft_ctx_buffer_error", &nftables->ctx_buffer_error},
		{"nft_ctx_get_output_buffer", &nftables->ctx_get_output_buffer},
		{"nft_ctx_get_error_buffer", &nftables->ctx_get_error_buffer},
		{"nft_ctx_output_set_flags", &nftables->ctx_output_set_flags},
		{"nft_run_cmd_from_buffer", &nftables->run_cmd_from_buffer},
	};
	nftables->context = NULL;
	int result = library_load("libnftables.so.1", "libnftables1", symbols, ARRAY_LEN(symbols), error);
	if (result < 0)
		return result;
	nftables->context = nftables->ctx_new(NFT_CTX_DEFAULT);
	if (!nftables->context)
		return error_set(error, -ENOMEM, "cannot use nftables");
	nftables->ctx_buffer_output(nftables->context);
	nftables->ctx_buffer_error(nftables->context);
	return 0;
}

void nftables_close(struct nftables *nftables)
{
	if (nftables->context)
		nftables->ctx_free(nftables->context);
	nftables->context = NULL;
}

int nftables_run(const struct nftables *nftables, const char *command, int failure, struct error *error)
{
	if (nftables->run_cmd_from_buffer(nftables->context, command) == 0)
		return 0;
	const char *reason = nftables->ctx_get_error_buffer(nftables->context);
	return error_set(error, failure, "nftables: %.*s", (int)strcspn(reason, "\n"), reason);
}
