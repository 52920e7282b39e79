package main

// message returns a message of the catalogue. A key without a message, which a
// test rules out, shows itself.
func message(lang, key string) string {
	if m, ok := catalogue(lang)[key]; ok {
		return m
	}
	return key
}

func catalogue(lang string) map[string]string {
	if lang == "ja" {
		return messagesJA
	}
	return messagesEN
}
