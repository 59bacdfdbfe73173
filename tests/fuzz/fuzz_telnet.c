/* Telnet sessions: bounded in what they keep and send, whatever the router does. A byte 0 stands for a pause.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "reverse/telnet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct telnet telnet;
	telnet_init(&telnet, addr_v4(0xc6336409), "user", "password");
	for (size_t i = 0; i < size; i++) {
		if (data[i] == 0)
			telnet_quiet(&telnet);
		else
			telnet_feed(&telnet, data + i, 1);
		CHECK(telnet.length <= TELNET_TEXT_MAX && telnet.text[telnet.length] == '\0');
		CHECK(strlen(telnet.text) == telnet.length);
		CHECK(telnet.out_length <= TELNET_SEND_MAX);
		CHECK(telnet.state != TELNET_FAILED || telnet.reason);
		telnet.out_length = 0;
	}
	telnet_end(&telnet);
	CHECK(strlen(telnet.text) == telnet.length);
	return 0;
}
