#include "net/firewall.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "net/nftables.h"
#include "net/privilege.h"

int firewall_read(char **json, struct error *error)
{
	struct nftables nftables;
	*json = NULL;
	if (!privilege_has(CAP_NET_ADMIN))
		return error_set(error, -EPERM, "only the administrator may read the rules");
	int code = nftables_open(&nftables, error);
	if (code < 0)
		return code;
	nftables.ctx_output_set_flags(nftables.context, NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_HANDLE);
	code = nftables_run(&nftables, "list ruleset", -EIO, error);
	if (code == 0) {
		*json = strdup(nftables.ctx_get_output_buffer(nftables.context));
		code = *json ? 0 : error_set(error, -ENOMEM, "out of memory");
	}
	nftables_close(&nftables);
	return code;
}
