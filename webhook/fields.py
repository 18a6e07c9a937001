"""The webhook fields of a WhatsApp Business Account: which we read and which we only count."""

OBJECT = "whatsapp_business_account"

READ_FIELDS = frozenset({"messages", "standby", "user_preferences", "history", "user_id_update"})

# Where messages come from other than `messages`; what stands in other fields counts as that.
OTHER_SOURCES = frozenset({"standby", "history"})

# Source: Meta, "webhooks reference", 2026, and what public samples add. None speaks of consent:
# `smb_app_state_sync` is an address book, `smb_message_echoes` are the business's own words.
IGNORED_FIELDS = frozenset(
    {
        "account_alerts",
        "account_review_update",
        "account_settings_update",
        "account_update",
        "automatic_events",
        "business_capability_update",
        "business_status_update",
        "business_username_update",
        "business_username_updates",
        "calls",
        "flows",
        "group_lifecycle_update",
        "group_participants_update",
        "group_settings_update",
        "group_status_update",
        "message_template_components_update",
        "message_template_quality_update",
        "message_template_status_update",
        "messaging_handovers",
        "partner_solutions",
        "payment_configuration_update",
        "phone_number_name_update",
        "phone_number_quality_update",
        "security",
        "smb_app_state_sync",
        "smb_message_echoes",
        "template_category_update",
        "template_correct_category_detection",
        "tracking_events",
    }
)
