"""Which column names may never be features: the shipped list, and the macro that reads it, on names as people write them."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import jinja2
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def denied_as():
    """`denied_as(name, **vars)`: what the macro says, with the shipped switches unless others are given."""
    shipped = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"]
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    source = (ROOT / "macros" / "denied_as.sql").read_text() + "{{ denied_as(name) }}"

    def say(name, **given):
        switches = shipped | given
        return environment.from_string(source).render(name=name, var=switches.__getitem__, modules=SimpleNamespace(re=re)).strip()

    return say


DENIED = {
    "gender": "gender HCP_Gender hcpGender HCPGENDER is_female isFemale ismale Sex sex_code genders",
    "age": "age birth_year dob DOB date_of_birth DateOfBirth dateofbirth HCP-Age age_band_2 hcp.age",
    "race or ethnicity": "race Race-Ethnicity ethnic_group is_hispanic HCPRace racecode",
    "religion": "religion religious_affiliation",
    "disability": "has_disability Disabled",
    "nationality": "nationality country_of_origin citizenship_code",
    "sexual orientation": "sexual_orientation SexualOrientation lgbtq",
    "political opinion": "political_party party_affiliation trade_union",
    "patient data": "patient_id PatientID PATIENTID patient_gender mrn ssn claim_id",
    "direct identifier": "npi NPI_Number full_name FullName name hcp_name work_email E-Mail email_address phone HCPEmail",
}
FALSE_FRIENDS = """
passage average_age_of_practice account_age_days percentage page_views stage message agency trace_id embrace sexton_county essex_region
middlesex racecar email_open_rate email_opens phone_calls emails_sent patients_seen patient_volume practice_name brand_name address_count
national_account digital_affinity years_in_practice aligned_since specialty mental_health_share menopause_share commander mandate
womens_health territory_id decile international_meetings birthing_center partybus faithful_user
"""


@pytest.mark.parametrize(("name", "group"), [(name, group) for group, names in DENIED.items() for name in names.split()])
def test_what_is_denied_is_found_however_it_is_written(denied_as, name, group):
    assert denied_as(name) == group


@pytest.mark.parametrize("name", FALSE_FRIENDS.split())
def test_false_friends_pass(denied_as, name):
    assert denied_as(name) == ""


def test_the_lists_are_the_users(denied_as):
    assert denied_as("zodiac_sign") == ""
    assert denied_as("zodiac_sign", nba_denied_attributes={"star_sign": ["zodiac"]}) == "star sign"
    assert denied_as("age_of_store", nba_denied_false_friends=["age of store"]) == ""
    assert denied_as("age_of_store") == "age"


def test_no_sign_in_a_term_means_anything(denied_as):
    odd = {"odd": ["(", "a|b", ".*", "", None], "star": "star-sign"}
    assert denied_as("decile", nba_denied_attributes=odd) == ""
    assert denied_as("star_sign", nba_denied_attributes=odd) == "star"
    assert denied_as("gender", nba_denied_attributes="gender", nba_denied_identifiers=[]) == ""
