-- One version of the engagement model scores, and it has a text that its hash answers for.
select count(*) as champions
from {{ ref('engagement_versions') }}
where stage = 'champion' and model_json is not null and model_hash is not null
having count(*) != 1
