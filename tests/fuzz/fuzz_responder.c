/* Requests and responses: read, written and read again they are the same; an echoed request is never a hop.
 */
#include "packet/responder.h"

#include "fuzz.h"

static uint8_t room[70000];

static void check_request(const uint8_t *data, size_t size)
{
	struct cursor body = cursor_init(data, size);
	struct responder_request request, again;
	if (responder_request_read(&body, &request) != 0) {
		CHECK(size < RESPONDER_REQUEST_BODY);
		return;
	}
	CHECK(!(request.has_extension && request.cookie != 0));
	struct writer writer = writer_init(room, sizeof(room));
	responder_request_write(&writer, &request);
	CHECK(writer_ok(&writer));
	body = cursor_init(room, writer.length);
	CHECK(responder_request_read(&body, &again) == 0);
	CHECK(again.ttl == request.ttl && again.protocol == request.protocol && again.flow == request.flow);
	CHECK(again.cookie == request.cookie && again.padding == request.padding && !again.has_extension);
	struct responder_response response;
	body = cursor_init(room, writer.length);
	CHECK(responder_response_read(&body, &response) != 0 || response.status != RESPONDER_OK);
}

static void check_response(const uint8_t *data, size_t size)
{
	struct cursor body = cursor_init(data, size);
	struct responder_response response, again;
	if (responder_response_read(&body, &response) != 0)
		return;
	CHECK((response.status == RESPONDER_OK) == addr_is_set(response.hop));
	CHECK(response.rtt_ns <= UINT32_MAX);
	struct writer writer = writer_init(room, sizeof(room));
	responder_response_write(&writer, &response);
	CHECK(writer_ok(&writer) && writer.length <= size);
	body = cursor_init(room, writer.length);
	CHECK(responder_response_read(&body, &again) == 0);
	CHECK(again.status == response.status && addr_equal(again.hop, response.hop));
	CHECK(again.rtt_ns == response.rtt_ns && again.cookie == response.cookie);
	CHECK(addr_equal(again.seen, response.seen) && again.refused == response.refused);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_request(data, size);
	check_response(data, size);
	return 0;
}
