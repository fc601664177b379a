{#- What a column may be that may never be a feature, as text: a group of nba_denied_attributes or `direct identifier`, in words; blank for any other column.
    Names are taken apart into words (HCP_Gender, hcpGender and hcp.gender are the same); terms of one group are found anywhere among them, direct identifiers only
    where the name says nothing else. Names run together (dateofbirth, isfemale) are found where nothing but common first and last parts stands around a term. -#}
{% macro denied_as(name) -%}
    {%- set parts = modules.re.sub('([a-z0-9])([A-Z])', '\\1 \\2', name) -%}
    {%- set parts = modules.re.sub('([A-Z]+)([A-Z][a-z])', '\\1 \\2', parts) | lower -%}
    {%- set parts = modules.re.sub('([a-z])([0-9])', '\\1 \\2', parts) -%}
    {%- set words = modules.re.sub('[^a-z0-9]+', ' ', parts) | trim -%}
    {%- set phrases = [' ' ~ words ~ ' '] -%}
    {%- for friend in var('nba_denied_false_friends') -%}
        {%- do phrases.append((phrases | last).replace(' ' ~ (friend | lower) ~ ' ', ' ')) -%}
    {%- endfor -%}
    {%- set words = (phrases | last) | trim -%}
    {%- set joined = words.replace(' ', '') -%}
    {%- set owner = 'hcp|hcps|is|has|physician|doctor|dr|md|person|personal|contact|prescriber|customer|primary|secondary|main|work|office|home|private|business' -%}
    {%- set about = 's|code|cd|group|grp|band|bracket|flag|ind|id|key|desc|type|class|status|name|year|date|address|number|num|no|nr|line|text|value|[0-9]' -%}
    {%- set found = [] -%}
    {#- terms are read as words too: no sign of theirs means anything, and none of them is blank -#}
    {%- set given = var('nba_denied_attributes') -%}
    {%- set given = dict(given if given is mapping else {}, **{'': var('nba_denied_identifiers')}) -%}
    {%- for group, terms in given.items() -%}
        {%- set plain = [] -%}
        {%- for term in (terms if terms is not string and terms is not mapping and terms is iterable else [terms]) -%}
            {%- set said = modules.re.sub('[^a-z0-9]+', ' ', term | string | lower) | trim -%}
            {%- if said -%}
                {%- do plain.append(said) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set term = plain | join('|') -%}
        {%- set spoken = '(^| )(' ~ term ~ ')s?( |$)' if group else '^((' ~ owner ~ ') )*(' ~ term ~ ')( (' ~ about ~ '))*$' -%}
        {%- set run_together = '(' ~ owner ~ ')*(' ~ term.replace(' ', '') ~ ')(' ~ about ~ ')*' -%}
        {%- if plain and (modules.re.search(spoken, words) or modules.re.fullmatch(run_together, joined)) -%}
            {%- do found.append(group.replace('_', ' ') or 'direct identifier') -%}
        {%- endif -%}
    {%- endfor -%}
    {{- found | first | default('') -}}
{%- endmacro %}
