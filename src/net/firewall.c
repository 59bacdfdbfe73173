#include "net/firewall.h"

#include <errno.h>
#include <nftables/libnftables.h>
#include <string.h>
#include <sys/capability.h>

#include "net/trial.h"

int firewall_read(char **json, struct error *error)
{
	*json = NULL;
	/* Asked first, because without it libnftables prints a complaint of its own. */
	if (!trial_capable(CAP_NET_ADMIN))
		return error_set(error, -EPERM, "only the administrator may read the rules");
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!nft)
		return error_set(error, -ENOMEM, "cannot use nftables");
	nft_ctx_buffer_output(nft);
	nft_ctx_buffer_error(nft);
	nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_HANDLE);
	int code = 0;
	if (nft_run_cmd_from_buffer(nft, "list ruleset") == 0) {
		*json = strdup(nft_ctx_get_output_buffer(nft));
		code = *json ? 0 : error_set(error, -ENOMEM, "out of memory");
	} else {
		const char *reason = nft_ctx_get_error_buffer(nft);
		code = error_set(error, -EIO, "nftables: %.*s", (int)strcspn(reason, "\n"), reason);
	}
	nft_ctx_free(nft);
	return code;
}
