"""Texts that a table may hold and that break whatever trusts them: each is a legal value of a text column."""

from __future__ import annotations

# kind -> text; none is blank, and none differs from another only by case
HOSTILE_TEXTS = {
    "quotes": "O'Brien \"the\" 'x''",
    "statement": "x'); drop table raw.hcp_master; --",
    "jinja": "{{ 1/0 }}{% raise %}{# #}",
    "dollars": "$$ $1 ${HOME} $name",
    "backslashes": "a\\b\\'\\n\\",
    "percent": "100%s %(x)s %d",
    "newlines": "one\ntwo\r\nthree",
    "controls": "a\x01\x07\x08\x1b[31mred\x1b[0m\x7f",
    "tab": "a\tb",
    "rtl": "abc\u202efdp.exe\u2066x\u2069",
    "composed": "caf\u00e9",
    "decomposed": "cafe\u0301",
    "emoji": "👩‍⚕️🏥",
    "zero_width": "a\u200bb\u200d\ufeffc",
    "long": "x" * 9990 + "'" + '"' + ";--\\{{}}",
    "markup": "<script>alert(1)</script>&amp;",
    "markdown": "| [x](javascript:alert(1)) ![i](http://evil.example/x.png) `c` *b* _i_ @team #1",
    "formula": '=HYPERLINK("http://evil.example","x")',
    "plus": "+1+1",
    "minus": "-2+3",
    "at": "@SUM(A1)",
    "pipe": "a|b,c;d",
    "path": "../../etc/passwd",
    "null_word": "NULL",
    "star": "**",
    "number": "001",
    "number_like": "1e5",
    "line_separator": "a\u2028b\u2029c\u0085d",
    "private": "\ue000\U000f0000",
    "percent_escape": "%00%0a%27",
    "regex": ".*[a-z](?=x)+$^",
    "like": "%_%",
}
HOSTILE = tuple(HOSTILE_TEXTS.values())
