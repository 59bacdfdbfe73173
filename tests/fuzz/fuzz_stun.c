/* A STUN answer: whatever comes is refused, or says an address or why not. */
#include <string.h>

#include "fuzz.h"
#include "packet/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stun_id id = {{0}};
	struct stun_answer answer;
	struct cursor cursor = cursor_init(data, size);
	if (size >= 8 + STUN_ID_SIZE)
		memcpy(id.bytes, data + 8, STUN_ID_SIZE); /* else nearly nothing would be read */
	if (stun_answer_read(&cursor, &id, &answer) != 0)
		return 0;
	CHECK(size >= STUN_QUESTION_SIZE && size % 4 == 0);
	CHECK(addr_is_set(answer.address) != (answer.refused != 0));
	CHECK(answer.refused == 0 || (answer.refused >= 300 && answer.refused < 700));
	return 0;
}
